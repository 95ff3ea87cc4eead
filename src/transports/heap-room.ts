import type { Config } from '../config/config.ts';

const MiB = 1_024 * 1_024;

/** What a server takes by itself: its code, and what it reads from Kafka. */
const ownBytes = 64 * MiB;
/** Of a connection with a few subscriptions, and of its part of what is under way. */
const connectionBytes = 8 * 1_024;
const connectionsAtLeast = 100;
/** So much of each sort is kept however small the heap is. */
const leastBytes = MiB / 2;
/** What the events may take that one stream holds until their place in the order is certain. */
const heldShare = 1 / 8;

/**
 * How many connections fit into a heap that was made small. A process that runs out of heap ends, and takes all
 * connections with it.
 *
 * @param options of Node, as they are written
 * @returns `Infinity`: the heap was not made small
 */
export function connectionsForHeap(options = ofThisProcess()): number {
  return Math.max(connectionsAtLeast, Math.floor(leftIn(options) / connectionBytes));
}

/**
 * How much of what is kept in memory fits into a heap that was made small.
 *
 * @param wanted bytes that may be kept
 * @param share part of what the server does not take by itself
 * @param options as of `connectionsForHeap`
 */
export function bytesForHeap(wanted: number, share: number, options = ofThisProcess()): number {
  const most = Math.floor(leftIn(options) * share);
  return Math.min(wanted, Math.max(Math.min(leastBytes, wanted), most));
}

/** Topics whose streams hold no more than fits into a heap that was made small. @param options as of `connectionsForHeap` */
export function topicsForHeap(
  topics: Config['topics'],
  options = ofThisProcess(),
): Config['topics'] {
  const fitting = (maxHeldBytes: number): { maxHeldBytes: number } => ({
    maxHeldBytes: bytesForHeap(maxHeldBytes, heldShare, options),
  });
  const overrides = Object.entries(topics.overrides).map(([name, override]) => {
    const { maxHeldBytes } = override;
    return [
      name,
      maxHeldBytes === undefined ? override : { ...override, ...fitting(maxHeldBytes) },
    ];
  });
  return {
    defaults: { ...topics.defaults, ...fitting(topics.defaults.maxHeldBytes) },
    overrides: Object.fromEntries(overrides),
  };
}

function ofThisProcess(): readonly string[] {
  return [process.env['NODE_OPTIONS'] ?? '', ...process.execArgv];
}

/** Bytes beyond those that a server takes by itself. */
function leftIn(options: readonly string[]): number {
  const sizes = [...options.join(' ').matchAll(/--max[-_]old[-_]space[-_]size[= ](\d+)/g)];
  // The last one counts for V8.
  const mebibytes = Number(sizes.at(-1)?.[1] ?? Infinity);
  return mebibytes * MiB - ownBytes;
}
