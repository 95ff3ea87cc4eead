import { Alert, Box, Container, Grid, Group, SimpleGrid, Text, Title } from '@mantine/core';
import { useSyncExternalStore } from 'react';
import { CountsChart } from './counts-chart.tsx';
import { perMinute, shownSteps } from './counts.ts';
import { DeadLetters } from './dead-letters.tsx';
import { Figure } from './figure.tsx';
import { Purchases } from './purchases.tsx';
import { StateBadge } from './state-badge.tsx';
import type { Store } from './store.ts';
import { palette, titles } from './topic-style.ts';
import { topics } from './model.ts';

export function Dashboard({ store }: { readonly store: Store }) {
  const { model, connection, knownToMs } = useSyncExternalStore(store.watch, store.view);
  const shown = shownSteps([...Object.values(model.counts), model.refusals], knownToMs ?? 0);
  const isLive = connection.name === 'live';
  return (
    <Container size={1_240} px={{ base: 'sm', sm: 'lg' }} py={{ base: 'md', sm: 'lg' }}>
      <Group justify="space-between" mb="md" wrap="nowrap">
        <Box>
          <Title order={1} size="h2">
            Tea shop
          </Title>
          <Text c="dimmed" size="sm">
            What happens, as it happens
          </Text>
        </Box>
        <StateBadge connection={connection} wasConnected={knownToMs !== undefined} />
      </Group>
      {connection.name === 'lost' && knownToMs === undefined && (
        <Alert color="yellow" mb="md" title="Millrace cannot be reached">
          {connection.why}. Is it running, and are pages of {location.origin} among its
          http.allowedOrigins? It is tried again and again.
        </Alert>
      )}

      <SimpleGrid cols={{ base: 2, md: 4 }} spacing={{ base: 'xs', sm: 'md' }} mb="md">
        {topics.map((topic) => (
          <Figure
            key={topic}
            title={titles[topic]}
            colour={palette[topic]}
            total={model.totals[topic]}
            trend={perMinute(model.counts[topic], shown).count}
          />
        ))}
        <Figure
          title="Dead letters"
          colour={palette.deadLetters}
          total={model.totalRefusals}
          trend={perMinute(model.refusals, shown).count}
        />
      </SimpleGrid>

      <CountsChart counts={model.counts} shown={shown} />

      <Grid gap="md" mt="md">
        <Grid.Col span={{ base: 12, md: 7 }}>
          <Purchases sales={model.sales} isLive={isLive} />
        </Grid.Col>
        <Grid.Col span={{ base: 12, md: 5 }}>
          <DeadLetters deadLetters={model.deadLetters} isLive={isLive} />
        </Grid.Col>
      </Grid>
    </Container>
  );
}
