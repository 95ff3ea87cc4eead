import { createHash } from 'node:crypto';
import { buffer } from 'node:stream/consumers';

/**
 * Prints the digest of the key on standard input, without the newline that `echo` puts behind it.
 * Returns the exit code.
 */
export async function hashKey(): Promise<number> {
  if (process.stdin.isTTY) process.stderr.write('Type the key, then Enter and Ctrl-D:\n');
  const input = await buffer(process.stdin);
  const key = withoutNewline(input);
  if (key.length === 0) {
    process.stderr.write('hash-key: there is no key on standard input\n');
    return 1;
  }
  process.stdout.write(`${createHash('sha256').update(key).digest('hex')}\n`);
  return 0;
}

function withoutNewline(input: Buffer): Buffer {
  if (input.at(-1) !== 0x0a) return input;
  return input.subarray(0, input.at(-2) === 0x0d ? -2 : -1);
}
