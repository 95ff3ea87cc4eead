import { readFileSync, writeFileSync } from 'node:fs';
import { variableName } from '../src/config/environment.ts';
import { settings } from '../src/config/schema.ts';
import type { Settings } from '../src/config/setting.ts';
import { errorTable } from '../src/core/errors.ts';
import { metricTable } from '../src/observe/metric-table.ts';
import { closeCodes, messageTable, parameterTable } from '../src/transports/plain/protocol.ts';
import { codeBlock, recipes, sharedByRecipes } from './recipes.ts';

/**
 * The tables in documents that come from tables in the code, and the code that documents show.
 * `node scripts/document-tables.ts` writes them; a test holds the documents to them.
 */
export const documentTables: readonly DocumentTable[] = [
  { document: 'docs/configuration.md', name: 'settings', render: settingsTables },
  { document: 'docs/errors.md', name: 'errors', render: errorsTable },
  { document: 'docs/metrics.md', name: 'metrics', render: metricsTable },
  { document: 'PROTOCOL.md', name: 'messages', render: messagesTable },
  { document: 'PROTOCOL.md', name: 'close codes', render: closeCodesTable },
  { document: 'PROTOCOL.md', name: 'parameters', render: parametersTable },
  ...[...sharedByRecipes, ...recipes].map((file) => ({
    document: 'docs/clients.md',
    name: file,
    what: 'code',
    render: () => codeBlock(file),
  })),
];

export interface DocumentTable {
  /** Path from the root of the repository. */
  readonly document: string;
  /** Stands in the comments around the table. */
  readonly name: string;
  /** So does this. @default table */
  readonly what?: string;
  readonly render: () => string;
}

/** The document with its table renewed. Throws where the comments around the table are missing. */
export function withTable(text: string, entry: DocumentTable): string {
  const { document, name, what = 'table', render } = entry;
  const begin = `<!-- ${what} of ${name}: written by scripts/document-tables.ts -->`;
  const end = `<!-- end of ${name} -->`;
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  if (from < 0 || to < from) throw new Error(`${document} lacks ${begin} or ${end}`);
  return `${text.slice(0, from)}${begin}\n\n${render()}\n\n${text.slice(to)}`;
}

function settingsTables(): string {
  return Object.entries<Settings[string]>(settings)
    .map(([name, node]) => {
      const head = ['setting', 'value', 'default', 'environment variable', 'what it is'];
      return `### ${name}\n\n${table(head, settingRows({ [name]: node }))}`;
    })
    .join('\n\n');
}

function settingRows(of: Settings, prefix = ''): string[][] {
  const rows: string[][] = [];
  for (const [name, node] of Object.entries(of)) {
    const path = `${prefix}${name}`;
    const variable = code(variableName(path));
    if (node.kind === 'setting') {
      const { type, description, secret } = node;
      const byDefault = node.default === null ? '' : code(type.format(node.default));
      const about = secret ? `${description} A secret.` : description;
      rows.push([code(path), type.label, byDefault, variable, about]);
      continue;
    }
    if (node.switch !== null) {
      const { default: byDefault, description } = node.switch;
      const label = 'true, false or a mapping of the settings below';
      rows.push([code(path), label, code(String(byDefault)), variable, description]);
    }
    rows.push(...settingRows(node.settings, `${path}.`));
  }
  return rows;
}

function errorsTable(): string {
  const rows = Object.entries(errorTable).map(([name, row]) => [
    code(name),
    row.summary,
    row.remedy,
    String(row.httpStatus),
    String(row.closeCode),
  ]);
  return table(['code', 'when', 'what to do', 'HTTP', 'WebSocket'], rows);
}

function metricsTable(): string {
  const rows = Object.entries(metricTable).map(([name, { type, labels, unit, help }]) => [
    code(name),
    type,
    labels.map(code).join(', '),
    unit,
    help,
  ]);
  return table(['metric', 'type', 'labels', 'unit', 'what it is'], rows);
}

function messagesTable(): string {
  const rows = Object.entries(messageTable).map(([type, { from, fields, meaning }]) => [
    code(type),
    from,
    fields,
    meaning,
  ]);
  return table(['`type`', 'from', 'other fields', 'meaning'], rows);
}

function closeCodesTable(): string {
  const rows = Object.entries(closeCodes).map(([number, { meaning, client }]) => [
    number,
    meaning,
    client,
  ]);
  return table(['code', 'meaning', 'what the client does'], rows);
}

function parametersTable(): string {
  const rows = Object.entries(parameterTable).map(([name, { of, form, meaning }]) => [
    code(name),
    of.length === 1 ? 'events' : 'events, dead letters',
    form,
    meaning,
  ]);
  return table(['parameter', 'of feeds of', 'form', 'meaning'], rows);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [tableRow(head), `|${' --- |'.repeat(head.length)}`, ...rows.map(tableRow)].join('\n');
}

function tableRow(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

function code(text: string): string {
  return `\`${text}\``;
}

if (import.meta.main) {
  for (const entry of documentTables) {
    const path = new URL(`../${entry.document}`, import.meta.url);
    writeFileSync(path, withTable(readFileSync(path, 'utf8'), entry));
  }
}
