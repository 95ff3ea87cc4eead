import { Badge, Group, ScrollArea, Table, Text } from '@mantine/core';
import { memo } from 'react';
import type { Sale } from './model.ts';
import { Panel } from './panel.tsx';

const time = new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium' });
const country = new Intl.DisplayNames('en', { type: 'region' });

const Row = memo(({ sale }: { readonly sale: Sale }) => {
  const { id, at, late, item, user, amount, currency } = sale;
  const price = new Intl.NumberFormat('en', { style: 'currency', currency });
  return (
    <Table.Tr data-id={id}>
      <Table.Td className="number" c="dimmed">
        {time.format(new Date(at))}
      </Table.Td>
      <Table.Td>
        <Group gap={6} wrap="nowrap">
          <Text size="sm" truncate>
            {item.quantity} × {item.name}
          </Text>
          {late && (
            <Badge size="xs" color="yellow" variant="light" style={{ flexShrink: 0 }}>
              late
            </Badge>
          )}
        </Group>
      </Table.Td>
      <Table.Td visibleFrom="sm">
        <Text size="sm" truncate title={country.of(user.country)}>
          {user.email}
          <Text span c="dimmed" ml={8}>
            {user.country}
          </Text>
        </Text>
      </Table.Td>
      <Table.Td className="number" ta="right" fw={600}>
        {price.format(amount)}
      </Table.Td>
    </Table.Tr>
  );
});

export function Purchases({
  sales,
  isLive,
}: {
  readonly sales: readonly Sale[];
  readonly isLive: boolean;
}) {
  return (
    <Panel title="Latest purchases">
      <ScrollArea h={340} offsetScrollbars type="auto">
        <Table stickyHeader verticalSpacing={7} horizontalSpacing={6} layout="fixed">
          <Table.Thead>
            <Table.Tr>
              <Table.Th w={74}>Time</Table.Th>
              <Table.Th>Item</Table.Th>
              <Table.Th visibleFrom="sm">Customer</Table.Th>
              <Table.Th w={88} ta="right">
                Amount
              </Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {sales.map((sale) => (
              <Row key={sale.id} sale={sale} />
            ))}
          </Table.Tbody>
        </Table>
        {sales.length === 0 && isLive && (
          <Text size="sm" c="dimmed" p={6}>
            Nobody has bought anything yet.
          </Text>
        )}
      </ScrollArea>
    </Panel>
  );
}
