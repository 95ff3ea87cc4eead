import type { CatchUp } from './catch-up.ts';
import type { Followed } from './followed.ts';

/** The readers that catch up with each stream, by project. Those of a stream are forgotten with it. */
export class CatchUps<S extends Followed<unknown>> {
  readonly #byStream = new WeakMap<S, Map<string, CatchUp<S>>>();

  /** @param open called if there are none yet */
  of(stream: S, projectId: string, open: () => CatchUp<S>): CatchUp<S> {
    const byProject = this.#byStream.get(stream) ?? new Map<string, CatchUp<S>>();
    this.#byStream.set(stream, byProject);
    const catchUp = byProject.get(projectId) ?? open();
    byProject.set(projectId, catchUp);
    return catchUp;
  }
}
