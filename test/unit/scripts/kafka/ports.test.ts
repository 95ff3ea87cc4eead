import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { freePorts, isFree } from '../../../../scripts/kafka/ports.ts';

test('no port is given out twice, here or by another process that runs at the same time', async () => {
  const [some, more] = await Promise.all([freePorts(20), freePorts(20)]);
  const module = JSON.stringify(import.meta.resolve('../../../../scripts/kafka/ports.ts'));
  const program = `import { freePorts } from ${module}; console.log(JSON.stringify(await freePorts(50)));`;
  const others = await Promise.all(
    Array.from({ length: 3 }, () =>
      promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program]),
    ),
  );
  const ours = [...some, ...more];
  assert.equal(new Set(ours).size, 40);
  for (const { stdout } of others) {
    const theirs: number[] = JSON.parse(stdout);
    assert.equal(theirs.length, 50);
    assert.deepEqual(
      theirs.filter((port) => ours.includes(port)),
      [],
    );
  }
  for (const port of ours) assert.ok(port >= 15_000 && port < 32_768 && (await isFree(port)));
});
