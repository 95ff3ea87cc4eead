import type { LoadedConfig } from '../config/load.ts';
import { formatProblem } from '../config/problem.ts';

/** Every problem and warning, one a line, on standard error. @param file what was read, beside the environment */
export function printFindings(
  { problems, warnings }: LoadedConfig,
  file: string | undefined,
): void {
  for (const problem of problems) process.stderr.write(`${formatProblem(problem)}\n`);
  if (problems.length > 0 && file === undefined) {
    process.stderr.write(
      'no configuration file was given: --config FILE names one (millrace.example.yaml is a start)\n',
    );
  }
  for (const warning of warnings) process.stderr.write(`warning: ${formatProblem(warning)}\n`);
}
