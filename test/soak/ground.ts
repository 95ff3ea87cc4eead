import type { Dice } from '../model/dice.ts';
import type { Login } from '../support/graphql-client.ts';

/** A topic as its project's clients call it. */
export interface SoakTopic {
  readonly projectId: string;
  readonly name: string;
}

/** What all visitors of a server know. */
export interface Ground {
  readonly url: string;
  readonly logins: readonly Login[];
  /** Topics with their share of visitors; those that nobody stays with are closed after each. */
  readonly topics: readonly SoakTopic[];
  /** Topics of which so much is recorded that a client that takes nothing falls behind. */
  readonly loud: readonly SoakTopic[];
  readonly dice: Dice;
  readonly tally: Tally;
  /** For those who come back: the last cursors, by what they are good for. */
  readonly cursors: Map<string, string>;
}

/** What came of the visits so far. */
export class Tally {
  readonly visits: Record<string, number> = {};
  connections = 0;
  subscriptions = 0;
  messages = 0;
  /** Connections that the server should have ended and did not. */
  readonly keptOpen: string[] = [];
  /** Codes of the errors that visitors were told. */
  readonly errors: Record<string, number> = {};

  visited(kind: string): void {
    this.visits[kind] = (this.visits[kind] ?? 0) + 1;
  }

  /** Looks through a text of the server for errors. */
  read(text: string): void {
    for (const [, code = ''] of text.matchAll(/"code":"([A-Z_]+)"/g)) {
      this.errors[code] = (this.errors[code] ?? 0) + 1;
    }
  }
}
