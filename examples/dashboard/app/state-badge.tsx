import { Badge } from '@mantine/core';
import type { FeedState } from 'millrace/client';

/** Whether what is shown is what is. */
export function StateBadge({ state }: { readonly state: FeedState }) {
  const [colour, text] = looks(state);
  return (
    <Badge
      role="status"
      size="lg"
      variant="light"
      color={colour}
      tt="none"
      style={{ flexShrink: 0 }}
      leftSection={<div className="dot" data-live={state.name === 'live' || undefined} />}
      title={state.name === 'waiting' ? state.reason.message : undefined}
    >
      {text}
    </Badge>
  );
}

function looks(state: FeedState): readonly [colour: string, text: string] {
  switch (state.name) {
    case 'connecting':
      return ['gray', state.attempt === 1 ? 'Connecting' : 'Connecting again'];
    case 'catching-up':
      return ['blue', 'Catching up'];
    case 'live':
      return ['teal', 'Live'];
    case 'waiting':
      return ['yellow', 'Connection lost'];
    case 'closed':
      return ['red', `Closed: ${state.code}`];
  }
}
