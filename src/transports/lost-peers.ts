import { readFile } from 'node:fs/promises';
import { type Socket, SocketAddress } from 'node:net';
import { endianness } from 'node:os';
import type { Clock } from '../core/clock.ts';

/** Milliseconds between looks at what the system has sent in vain, … */
const lookMs = 3_000;
/** … and for how long it must have been in vain, without one acknowledgement, for the peer to be lost. */
const lostAfterMs = 9_000;

export interface LostPeersOptions {
  readonly clock: Clock;
  /** Tables of the system's TCP connections. @default Linux's; elsewhere nothing is found */
  readonly read?: () => Promise<string>;
}

/** A connection whose peer may vanish. */
interface Watched {
  readonly key: string;
  readonly lost: () => void;
  /** Since when the system repeats itself, and how often it had done so at the last look. */
  unheard: { readonly sinceMs: number; readonly retransmits: number } | undefined;
}

/**
 * Finds peers that have vanished without a word while something was on the way to them: the system
 * repeats it for a quarter of an hour before it gives up, and does not probe meanwhile as it does on
 * quiet connections (see `probe`). Node can neither ask for less nor see it; Linux shows it in a table.
 *
 * For connections on which the peer never speaks; where it does, asking it is better (`KeepAlive`).
 */
export class LostPeers {
  readonly #clock: Clock;
  readonly #read: () => Promise<string>;
  readonly #watched = new Set<Watched>();
  #looking = false;

  constructor({ clock, read = readTables }: LostPeersOptions) {
    this.#clock = clock;
    this.#read = read;
  }

  /**
   * @param lost called once, when the peer is lost
   * @returns ends the watch
   */
  watch({ remoteAddress, remotePort }: Socket, lost: () => void): () => void {
    const watched = { key: keyOf(remoteAddress, remotePort), lost, unheard: undefined };
    this.#watched.add(watched);
    this.#arm();
    return () => this.#watched.delete(watched);
  }

  #arm(): void {
    if (this.#watched.size === 0 || this.#looking) return;
    this.#looking = true;
    this.#clock.schedule(lookMs, () => void this.#look());
  }

  async #look(): Promise<void> {
    // Most are done before the first look.
    if (this.#watched.size > 0) this.#judge(unacknowledged(await this.#read()));
    this.#looking = false;
    this.#arm();
  }

  #judge(found: ReadonlyMap<string, number>): void {
    const nowMs = this.#clock.now();
    for (const watched of this.#watched) {
      const retransmits = found.get(watched.key);
      const { unheard } = watched;
      if (retransmits === undefined) {
        watched.unheard = undefined;
      } else if (unheard === undefined || retransmits < unheard.retransmits) {
        // The count begins again with every acknowledgement.
        watched.unheard = { sinceMs: nowMs, retransmits };
      } else if (nowMs - unheard.sinceMs >= lostAfterMs) {
        this.#watched.delete(watched);
        watched.lost();
      } else {
        watched.unheard = { sinceMs: unheard.sinceMs, retransmits };
      }
    }
  }
}

/**
 * Has the system ask a silent peer whether it is there: after 6 s, and again two times 2 s later; so one
 * that has vanished from a quiet connection is found in 10 s, before the next ping of a stream would put
 * an end to the asking.
 */
export function probe(socket: Socket): void {
  socket.setKeepAlive(true, 6_000, 2_000, 2);
}

const established = '01';
const retransmitting = '01';
const row = new RegExp(
  `^ *\\d+: [0-9A-F]+:[0-9A-F]{4} ([0-9A-F]+):([0-9A-F]{4}) ${established} ` +
    `[0-9A-F]{8}:[0-9A-F]{8} ${retransmitting}:[0-9A-F]+ (?!0{8})([0-9A-F]{8}) `,
  'gm',
);

/**
 * The peers that have not acknowledged what was sent to them more than once, as in `keyOf`, with how often
 * it was sent again since the last acknowledgement.
 *
 * @param tables of the form of Linux's `/proc/net/tcp` and `tcp6`
 */
export function unacknowledged(tables: string): Map<string, number> {
  const found = new Map<string, number>();
  for (const [, address = '', port = '', retransmits = ''] of tables.matchAll(row)) {
    const key = keyOf(addressOf(address), Number.parseInt(port, 16));
    found.set(key, Number.parseInt(retransmits, 16));
  }
  return found;
}

function keyOf(address: string | undefined, port: number | undefined): string {
  return `${address?.replace(/%.*/, '')} ${port}`;
}

/** The kernel writes the words of an address as numbers of its machine. */
function addressOf(hex: string): string {
  const bytes = Buffer.from(hex, 'hex');
  if (endianness() === 'LE') bytes.swap32();
  if (bytes.length === 4) return bytes.join('.');
  const groups = Array.from({ length: 8 }, (_, index) =>
    bytes.readUInt16BE(index * 2).toString(16),
  );
  return new SocketAddress({ address: groups.join(':'), family: 'ipv6' }).address;
}

async function readTables(): Promise<string> {
  const tables = ['/proc/self/net/tcp', '/proc/self/net/tcp6'].map((path) =>
    // Other systems have no such table, and some containers no IPv6.
    readFile(path, 'latin1').catch(() => ''),
  );
  return (await Promise.all(tables)).join('');
}
