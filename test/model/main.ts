/**
 * `npm run test:model [-- RESUMES]`: judges at least a million resumes (or so many) over random logs, in all
 * orders, and the controls. The seed is printed and can be given as `MILLRACE_SEED`. Exits 1 if anything was
 * lost, came twice or in disorder, or if a control found nothing.
 */
import { judgeMany, type JudgedOptions } from './judge-many.ts';

const resumes = Number(process.argv[2] ?? 1_000_000);
const firstSeed = Number(process.env['MILLRACE_SEED'] ?? Date.now() % 1_000_000_000);

const judged: readonly (JudgedOptions & { readonly share: number })[] = [
  { order: 'TIMESTAMP', deduplicate: true, resumeBy: 'cursor', share: 0.3 },
  { order: 'SEQUENCE', deduplicate: true, resumeBy: 'cursor', share: 0.3 },
  { order: 'ARRIVAL', deduplicate: true, resumeBy: 'cursor', share: 0.1 },
  { order: 'TIMESTAMP', deduplicate: false, resumeBy: 'cursor', share: 0.1 },
  { order: 'SEQUENCE', deduplicate: false, resumeBy: 'cursor', share: 0.05 },
  { order: 'ARRIVAL', deduplicate: false, resumeBy: 'cursor', share: 0.05 },
  { order: 'TIMESTAMP', deduplicate: true, resumeBy: 'cursor', fromFuture: true, share: 0.1 },
];

const controls: readonly (JudgedOptions & { readonly finds: 'lost' | 'twice' })[] = [
  { order: 'TIMESTAMP', deduplicate: false, resumeBy: 'R only', finds: 'lost' },
  { order: 'TIMESTAMP', deduplicate: false, resumeBy: 'V only', finds: 'twice' },
  { order: 'TIMESTAMP', deduplicate: true, resumeBy: 'cursor, ignoring copies', finds: 'twice' },
];

const started = performance.now();
let total = 0;
console.log(`MILLRACE_SEED=${firstSeed}`);
for (const { share, ...options } of judged) {
  const {
    wrong,
    kinds: _,
    ...counts
  } = judgeMany(options, firstSeed, {
    resumes: Math.ceil(resumes * share),
  });
  total += counts.resumes;
  console.log(JSON.stringify({ ...options, ...counts, wrong: wrong.length }));
  for (const each of wrong.slice(0, 10)) console.log(`  ${each}`);
  if (wrong.length > 0) process.exitCode = 1;
}
for (const { finds, ...options } of controls) {
  const { kinds, resumes } = judgeMany(options, firstSeed, { logs: 300 });
  console.log(JSON.stringify({ control: options.resumeBy, resumes, found: [...kinds] }));
  if (!kinds.has(finds)) process.exitCode = 1;
}
const seconds = Math.round((performance.now() - started) / 1_000);
console.log(`${total} resumes in ${seconds} s: ${process.exitCode === 1 ? 'WRONG' : 'all exact'}`);
