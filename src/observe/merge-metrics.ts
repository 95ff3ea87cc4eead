/**
 * Texts in Prometheus' format as one: each family once, with the series of all. They must differ in a label
 * (`worker`), or the same series would be there twice.
 */
export function mergeMetrics(texts: readonly string[]): string {
  const families = new Map<string, string[]>();
  for (const text of texts) {
    let series: string[] = [];
    for (const line of text.split('\n')) {
      if (line.startsWith('# HELP ')) {
        series = families.get(line) ?? [];
        families.set(line, series);
      } else if (line !== '' && !(line.startsWith('#') && series.includes(line))) {
        series.push(line);
      }
    }
  }
  return [...families].map(([help, series]) => [help, ...series, ''].join('\n')).join('\n');
}
