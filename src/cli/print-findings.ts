import type { LoadedConfig } from '../config/load.ts';
import { formatProblem } from '../config/problem.ts';

/** Every problem and warning, one a line, on standard error. */
export function printFindings({ problems, warnings }: LoadedConfig): void {
  for (const problem of problems) process.stderr.write(`${formatProblem(problem)}\n`);
  for (const warning of warnings) process.stderr.write(`warning: ${formatProblem(warning)}\n`);
}
