import { Badge } from '@mantine/core';
import type { Connection } from './connection.ts';

/** Whether what is shown is what is. */
export function StateBadge({ connection }: { readonly connection: Connection }) {
  const [colour, text] = looks(connection);
  return (
    <Badge
      role="status"
      size="lg"
      variant="light"
      color={colour}
      tt="none"
      style={{ flexShrink: 0 }}
      leftSection={<div className="dot" data-live={connection.name === 'live' || undefined} />}
      title={connection.name === 'lost' ? connection.why : undefined}
    >
      {text}
    </Badge>
  );
}

function looks(connection: Connection): readonly [colour: string, text: string] {
  switch (connection.name) {
    case 'connecting':
      return ['gray', 'Connecting'];
    case 'catching-up':
      return ['blue', 'Catching up'];
    case 'live':
      return ['teal', 'Live'];
    case 'lost': {
      const { feeds, lost } = connection;
      return [
        'yellow',
        lost === feeds ? 'Connection lost' : `Reconnecting ${lost} of ${feeds} feeds`,
      ];
    }
    case 'closed':
      return ['red', `Closed: ${connection.code}`];
  }
}
