import {
  judgeReconnects,
  type ReconnectJudgement,
  type ReconnectOptions,
} from './reconnect-model.ts';

/** What came of many logs. */
export interface ManyJudged {
  logs: number;
  resumes: number;
  fromMemory: number;
  takeovers: number;
  waits: number;
  meetings: number;
  /** What was wrong, each with the seed that shows it again. */
  readonly wrong: string[];
  /** Kinds of what was wrong. */
  readonly kinds: Set<'lost' | 'twice' | 'disordered'>;
}

export type JudgedOptions = Omit<ReconnectOptions, 'seed'>;

/** Judges logs from a seed on, until there were enough. `{ logs }` or `{ resumes }`. */
export function judgeMany(
  options: JudgedOptions,
  firstSeed: number,
  enough: { readonly logs: number } | { readonly resumes: number },
): ManyJudged {
  const many: ManyJudged = {
    logs: 0,
    resumes: 0,
    fromMemory: 0,
    takeovers: 0,
    waits: 0,
    meetings: 0,
    wrong: [],
    kinds: new Set(),
  };
  const isEnough = (): boolean =>
    'logs' in enough ? many.logs >= enough.logs : many.resumes >= enough.resumes;
  for (let seed = firstSeed; !isEnough(); seed++) {
    const judgement = judgeReconnects({ ...options, seed });
    many.logs += 1;
    many.resumes += judgement.resumes;
    many.fromMemory += judgement.fromMemory;
    many.takeovers += judgement.takeovers;
    many.waits += judgement.waits;
    many.meetings += judgement.meetings;
    // A record from the future may come again: docs/ordering.md. It may not be lost.
    const twice = judgement.twice.filter((id) => !judgement.fromFuture.has(id));
    note(many, seed, { ...judgement, twice });
  }
  return many;
}

function note(many: ManyJudged, seed: number, judgement: ReconnectJudgement): void {
  const { lost, twice, disordered } = judgement;
  if (lost.length > 0) many.kinds.add('lost');
  if (twice.length > 0) many.kinds.add('twice');
  if (disordered > 0) many.kinds.add('disordered');
  if (lost.length + twice.length + disordered === 0) return;
  many.wrong.push(
    `MILLRACE_SEED=${seed}: lost ${lost.join()}; twice ${twice.join()}; disordered ${disordered}`,
  );
}
