/** What has something to do at the end of a turn. */
export interface TurnEndTask {
  endTurn(): void;
}

/**
 * The end of a turn of the event loop. What becomes due for a socket during a turn, from whatever feed,
 * leaves at its end in one write. A turn ends as soon as there is nothing left in it to do, so that a
 * single message waits for nothing.
 */
export class TurnEnd {
  #tasks: TurnEndTask[] = [];

  /** Each task is asked for once: it must know that it has been scheduled. */
  schedule(task: TurnEndTask): void {
    if (this.#tasks.length === 0) setImmediate(() => this.#run());
    this.#tasks.push(task);
  }

  #run(): void {
    const tasks = this.#tasks;
    this.#tasks = [];
    for (const task of tasks) task.endTurn();
  }
}
