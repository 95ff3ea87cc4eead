/**
 * `npm run test:autobahn`: the Autobahn test suite against the server's WebSockets: RFC 6455, and RFC 7692 for
 * compression. Needs Python 3.10 with pip, and a few minutes. Exits 1 if a case fails.
 */
import { fetchRunner, isConformant, leftOut, playAutobahn } from './suite.ts';

const runner = await fetchRunner();
if (!runner.ok) {
  console.error(runner.reason);
  process.exit(1);
}
const verdicts = await playAutobahn(runner.directory, []);
const counts = new Map<string, number>();
for (const [number, verdict] of verdicts) {
  const { behavior, behaviorClose } = verdict;
  counts.set(behavior, (counts.get(behavior) ?? 0) + 1);
  if (isConformant(verdict)) continue;
  console.log(`${number}: ${behavior}, closing ${behaviorClose}`);
  process.exitCode = 1;
}
console.log(`${verdicts.size} cases:`, Object.fromEntries(counts));
for (const { cases, reason } of leftOut) console.log(`left out ${cases.join(', ')}: ${reason}`);
