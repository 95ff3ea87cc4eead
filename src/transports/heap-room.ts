const MiB = 1_024 * 1_024;

/** What a server takes by itself: its code, and what it reads from Kafka. */
const ownBytes = 64 * MiB;
/** Of a connection with a few subscriptions, and of its part of what is under way. */
const connectionBytes = 8 * 1_024;
const connectionsAtLeast = 100;

/**
 * How many connections fit into a heap that was made small. A process that runs out of heap ends, and takes all
 * connections with it.
 *
 * @param options of Node, as they are written
 * @returns `Infinity`: the heap was not made small
 */
export function connectionsForHeap(
  options: readonly string[] = [process.env['NODE_OPTIONS'] ?? '', ...process.execArgv],
): number {
  const sizes = [...options.join(' ').matchAll(/--max[-_]old[-_]space[-_]size[= ](\d+)/g)];
  // The last one counts for V8.
  const mebibytes = Number(sizes.at(-1)?.[1] ?? Infinity);
  const left = mebibytes * MiB - ownBytes;
  return Math.max(connectionsAtLeast, Math.floor(left / connectionBytes));
}
