import { authorizationOf, type Login } from '../support/graphql-client.ts';
import type { SoakTopic } from './ground.ts';
import { openSocket, openStream, type Wire } from './wire.ts';

/** Clients that stay all the time, so that a feed is used by others that come and go. */
export class Residents {
  messages = 0;
  readonly #wires: readonly Wire[];
  readonly #ends: string[] = [];

  constructor(url: string, login: Login, { name }: SoakTopic) {
    const received = (text: string): void => {
      if (text.includes('"cursor"')) this.messages += 1;
    };
    const query = `subscription { events(topic: "${name}", order: TIMESTAMP) { id cursor } }`;
    this.#wires = [
      openSocket({
        url: `${url}/graphql`,
        protocol: 'graphql-transport-ws',
        onOpen: ({ send }) => send({ type: 'connection_init', payload: login }),
        onMessage(text, { send }) {
          received(text);
          const { type } = Object(JSON.parse(text));
          if (type === 'ping') send({ type: 'pong' });
          if (type === 'connection_ack') send({ id: '1', type: 'subscribe', payload: { query } });
        },
      }),
      openStream({
        url: `${url}/feeds/${name}?order=ARRIVAL`,
        headers: { authorization: authorizationOf(login) },
        onChunk: received,
      }),
    ];
    for (const { ended } of this.#wires) {
      void ended.then((how) => this.#ends.push(`a resident of ${name} is gone: ${how}`));
    }
  }

  /** How those ended who are no longer there, in words. */
  get ends(): readonly string[] {
    return this.#ends;
  }

  leave(): void {
    for (const wire of this.#wires) wire.cut();
  }
}
