import { connect } from 'node:net';
import { KafkaError } from './port.ts';

/**
 * Resolves when one of the brokers takes a connection, which is closed again; nobody logs in. Rejects with
 * `UNAVAILABLE` if none does.
 *
 * @param brokers `host:port`, with an IPv6 address in brackets
 * @param withinMs how long each may take
 */
export async function reachBrokers(brokers: readonly string[], withinMs: number): Promise<void> {
  try {
    await Promise.any(brokers.map((broker) => reach(broker, withinMs)));
  } catch (cause) {
    throw new KafkaError('UNAVAILABLE', 'no broker takes connections', { cause });
  }
}

function reach(broker: string, withinMs: number): Promise<void> {
  const colon = broker.lastIndexOf(':');
  const host = broker.slice(0, colon).replace(/^\[(.*)\]$/, '$1');
  const socket = connect({ host, port: Number(broker.slice(colon + 1)), timeout: withinMs });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  socket.once('connect', () => resolve());
  // A process that stood still hears first that its time is over, and only then what came meanwhile.
  socket.once('timeout', () => setImmediate(() => reject(new Error(`${broker} does not answer`))));
  socket.once('error', reject);
  return promise.finally(() => socket.destroy());
}
