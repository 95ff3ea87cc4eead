import type { Figures, Target } from './scenario.ts';

/** What a target came to; `null`: one of the variants gave no figure. */
export interface Verdict {
  readonly target: string;
  readonly value: number | null;
  readonly atMost: number;
  readonly met: boolean | null;
}

export function judge(
  { figure, of, to, atMost }: Target,
  medians: ReadonlyMap<string, Figures>,
): Verdict {
  const target = to === undefined ? `${figure} of ${of}` : `${figure} of ${of} to that of ${to}`;
  const own = medians.get(of)?.[figure];
  const other = to === undefined ? 1 : medians.get(to)?.[figure];
  if (own === undefined || other === undefined) return { target, value: null, atMost, met: null };
  const value = Number((own / other).toPrecision(3));
  return { target, value, atMost, met: value <= atMost };
}
