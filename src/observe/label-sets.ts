/** What stands in the place of labels beyond the bound. */
export const otherLabel = 'other';

/**
 * Bounds the label sets of metrics that are by project or topic: the first so many are kept for as long as
 * the process runs, as counters must not go back; all others share one, in which every label is `other`.
 */
export class LabelSets<Label extends string> {
  readonly #max: number;
  readonly #known = new Map<string, Readonly<Record<Label, string>>>();

  constructor(max: number) {
    this.#max = max;
  }

  /** The labels to use for these. */
  of(labels: Readonly<Record<Label, string>>): Readonly<Record<Label, string>> {
    const key = JSON.stringify(Object.values(labels));
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    if (this.#known.size >= this.#max) return othersOf(labels);
    this.#known.set(key, labels);
    return labels;
  }
}

function othersOf<Label extends string>(
  labels: Readonly<Record<Label, string>>,
): Readonly<Record<Label, string>> {
  const others: Record<Label, string> = { ...labels };
  for (const label in others) others[label] = otherLabel;
  return others;
}
