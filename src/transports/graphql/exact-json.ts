import type { ExecutionResult } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { stringifyResult } from './json-text.ts';

/** Has yoga write results with the payloads in them as they are, with every digit. */
export function exactJson(): Plugin {
  return {
    onExecute: () => ({
      onExecuteDone({ result }) {
        if (!isIterable(result)) written(result);
      },
    }),
    onSubscribe: () => ({
      onSubscribeResult: () => ({
        onNext({ result }) {
          if (!isIterable(result)) written(result);
        },
      }),
    }),
  };
}

/** @returns the same, which yoga writes by the function that it carries */
export function written<Result extends ExecutionResult>(result: Result): Result {
  return Object.assign(result, { stringify: stringifyLine });
}

/** On one line, for SSE: a line break in JSON is white space between tokens, and a blank does as well. */
function stringifyLine(result: unknown): string {
  const text = stringifyResult(result);
  return /[\r\n]/.test(text) ? text.replaceAll(/[\r\n]/g, ' ') : text;
}

function isIterable(result: object): result is AsyncIterable<unknown> {
  return Symbol.asyncIterator in result;
}
