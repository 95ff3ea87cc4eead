import { Badge, Box, Group, ScrollArea, Stack, Text } from '@mantine/core';
import { memo } from 'react';
import type { Refusal } from './model.ts';
import { Panel } from './panel.tsx';

const time = new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium' });

const Letter = memo(({ deadLetter }: { readonly deadLetter: Refusal }) => {
  const { id, topic, error, event, source, recordedAt } = deadLetter;
  return (
    <Box className="letter" pl="sm" data-id={id}>
      <Group gap={8} wrap="nowrap">
        <Badge size="sm" variant="light" color={source === 'BRIDGE' ? 'orange' : 'gray'} tt="none">
          {topic.replace(/-dlq$/, '')}
        </Badge>
        <Text className="number" size="xs" c="dimmed">
          {time.format(new Date(recordedAt))}
        </Text>
      </Group>
      <Text size="sm" lineClamp={1} title={error}>
        {error}
      </Text>
      <Text c="dimmed" ff="monospace" fz={11} truncate title={event}>
        {event}
      </Text>
    </Box>
  );
});

export function DeadLetters({
  deadLetters,
  isLive,
}: {
  readonly deadLetters: readonly Refusal[];
  readonly isLive: boolean;
}) {
  return (
    <Panel title="Dead letters">
      <ScrollArea h={340} offsetScrollbars type="auto">
        {deadLetters.length === 0 && isLive && (
          <Text size="sm" c="dimmed">
            None: all that came could be read.
          </Text>
        )}
        <Stack gap="sm">
          {deadLetters.map((deadLetter) => (
            <Letter key={deadLetter.id} deadLetter={deadLetter} />
          ))}
        </Stack>
      </ScrollArea>
    </Panel>
  );
}
