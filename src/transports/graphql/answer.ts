import type { ExecutionArgs, ExecutionResult } from 'graphql';
import { MillraceError } from '../../core/errors.ts';
import type { Answers } from '../allowance/answers.ts';
import type { GraphqlEngine } from './engine.ts';
import { lengthOf } from './json-text.ts';

/**
 * What a query is answered. Where its project has too many under way, or the answer would be too much beside those
 * that have not been taken, a refusal: before it is written, as the same payload may be asked for many times over.
 */
export async function answerTo(
  args: ExecutionArgs,
  projectId: string,
  { engine, answers }: { readonly engine: GraphqlEngine; readonly answers: Answers },
): Promise<ExecutionResult> {
  try {
    const end = answers.begin(projectId);
    try {
      const result = await engine.execute(args);
      answers.assertRoom(projectId, lengthOf(result));
      return result;
    } finally {
      end();
    }
  } catch (error) {
    if (!(error instanceof MillraceError)) throw error;
    return { errors: [engine.mask(error)] };
  }
}
