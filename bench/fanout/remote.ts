import type { ChildProcess } from 'node:child_process';

/**
 * Calls from one process of the bench into another that it has forked. What the other can be asked is an
 * interface of functions whose arguments and answers go through JSON.
 */
export type Callable<M> = { readonly [K in keyof M]: (...args: never[]) => unknown };

interface Call {
  readonly id: number;
  readonly method: string;
  readonly args: readonly never[];
}

interface Reply {
  readonly id: number;
  readonly error?: string;
  /** JSON. */
  readonly value?: string;
}

/** The side that asks. A call fails when the process ends before it has answered. */
export class Remote<M extends Callable<M>> {
  readonly #child: ChildProcess;
  readonly #pending = new Map<number, (reply: Reply) => void>();
  #calls = 0;

  constructor(child: ChildProcess) {
    this.#child = child;
    child.on('message', (text) => {
      if (typeof text !== 'string') return;
      const reply: Reply = JSON.parse(text);
      this.#settle(reply.id, reply);
    });
    child.once('exit', (code, signal) => {
      for (const id of this.#pending.keys()) {
        this.#settle(id, { id, error: `the process ended with ${code ?? signal}` });
      }
    });
  }

  call<K extends keyof M & string>(
    method: K,
    ...args: Parameters<M[K]>
  ): Promise<Awaited<ReturnType<M[K]>>> {
    this.#calls += 1;
    const id = this.#calls;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, ({ error, value }) => {
        if (error !== undefined) reject(new Error(`${method}: ${error}`));
        else resolve(JSON.parse(value ?? 'null'));
      });
      if (this.#child.connected) this.#child.send(JSON.stringify({ id, method, args }));
      else this.#settle(id, { id, error: 'the process is gone' });
    });
  }

  #settle(id: number, reply: Reply): void {
    this.#pending.get(id)?.(reply);
    this.#pending.delete(id);
  }
}

/** The side that answers: a forked process, which ends with the one that forked it. */
export function answerCalls<M extends Callable<M>>(methods: M): void {
  const byName = new Map<string, (...args: never[]) => unknown>(Object.entries(methods));
  const answer = async ({ id, method, args }: Call): Promise<Reply> => {
    try {
      const value = await byName.get(method)?.(...args);
      return { id, value: JSON.stringify(value ?? null) };
    } catch (error) {
      return { id, error: error instanceof Error ? error.message : String(error) };
    }
  };
  process.on('message', (text) => {
    if (typeof text !== 'string') return;
    void answer(JSON.parse(text)).then((reply) => process.send?.(JSON.stringify(reply)));
  });
  process.on('disconnect', () => process.exit());
}
