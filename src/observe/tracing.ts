import { type Attributes, SpanStatusCode, type Tracer, trace } from '@opentelemetry/api';
import { MillraceError } from '../core/errors.ts';

/** Ends a span. @param error what it failed with; undefined: it did not */
export type EndSpan = (error?: unknown) => void;

/** Goes to whatever OpenTelemetry SDK the process has loaded; without one it does nothing. */
const tracer: Tracer = trace.getTracer('millrace');

/**
 * Begins a span. For what happens once for a client or a reader, never for a message.
 *
 * @param attributes no secrets: a project's id, a topic
 */
export function beginSpan(name: string, attributes: Attributes): EndSpan {
  const span = tracer.startSpan(name, { attributes });
  return (error) => {
    if (error !== undefined) {
      // Of what is not for clients the log has the details.
      const message = error instanceof MillraceError ? error.code : 'INTERNAL';
      span.setStatus({ code: SpanStatusCode.ERROR, message });
    }
    span.end();
  };
}

/** What `work` answers, with a span for as long as it takes. */
export async function traced<Result>(
  name: string,
  attributes: Attributes,
  work: () => Promise<Result>,
): Promise<Result> {
  const end = beginSpan(name, attributes);
  try {
    const result = await work();
    end();
    return result;
  } catch (error) {
    end(error);
    throw error;
  }
}
