import { Badge } from '@mantine/core';
import type { Connection } from './connection.ts';

/** Whether what is shown is what is. */
export function StateBadge({
  connection,
  wasConnected,
}: {
  readonly connection: Connection;
  readonly wasConnected: boolean;
}) {
  const [colour, text] = looks(connection, wasConnected);
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

function looks(
  connection: Connection,
  wasConnected: boolean,
): readonly [colour: string, text: string] {
  switch (connection.name) {
    case 'connecting':
      return ['gray', 'Connecting'];
    case 'catching-up':
      return ['blue', 'Catching up'];
    case 'live':
      return ['teal', 'Live'];
    case 'lost': {
      const { feeds, lost } = connection;
      if (lost < feeds) return ['yellow', `Reconnecting ${lost} of ${feeds} feeds`];
      return ['yellow', wasConnected ? 'Connection lost' : 'Not connected'];
    }
    case 'closed':
      return ['red', `Closed: ${connection.code}`];
  }
}
