import { Badge, Box, Code, Group, ScrollArea, Stack, Text } from '@mantine/core';
import type { Refusal } from './model.ts';
import { Panel } from './panel.tsx';

const time = new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium' });

export function DeadLetters({ deadLetters }: { readonly deadLetters: readonly Refusal[] }) {
  return (
    <Panel title="Dead letters">
      <ScrollArea h={340} offsetScrollbars type="auto">
        {deadLetters.length === 0 && (
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

function Letter({
  deadLetter: { id, topic, error, event, source, recordedAt },
}: {
  readonly deadLetter: Refusal;
}) {
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
      <Text size="sm" lineClamp={2}>
        {error}
      </Text>
      <Code block={false} style={{ wordBreak: 'break-all' }} c="dimmed" fz={11}>
        {event.length > 90 ? `${event.slice(0, 90)}…` : event}
      </Code>
    </Box>
  );
}
