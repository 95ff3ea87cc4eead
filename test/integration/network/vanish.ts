/**
 * Run by the test beside it, in a network of its own: a server that sends a stream to a client on the
 * other end of a cable, which is cut without a word. Prints what became of the response, as JSON.
 *
 * `node vanish.ts NAMESPACE EVERY_MS`: the process whose network the client lives in, and how often the
 * stream says something.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { systemClock } from '../../../src/core/clock.ts';
import { createLogger } from '../../../src/observe/logger.ts';
import { createHttpServer } from '../../../src/transports/http-server.ts';
import { LostPeers } from '../../../src/transports/lost-peers.ts';
import { RunningTime } from '../../support/running-time.ts';

const [namespace = '', everyMs = ''] = process.argv.slice(2);
const [here, there] = ['10.9.9.1', '10.9.9.2'];
const port = 4_000;
const givenUpMs = 120_000;

const run = (command: string): void => {
  const [program = '', ...args] = command.split(' ');
  execFileSync(program, args, { stdio: 'ignore' });
};
run(`ip link add near type veth peer name far netns ${namespace}`);
run(`ip addr add ${here}/24 dev near`);
run('ip link set near up');
run(`nsenter -t ${namespace} -n ip addr add ${there}/24 dev far`);
run(`nsenter -t ${namespace} -n ip link set far up`);

let sinceCut = new RunningTime();
const { server } = createHttpServer({
  routes: new Map([
    [
      '/stream',
      (_request, response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.write(':\n\n');
        const saying = setInterval(() => response.write(':\n\n'), Number(everyMs));
        response.once('close', () => {
          clearInterval(saying);
          process.stdout.write(`${JSON.stringify({ noticedAfterMs: sinceCut.ms })}\n`);
          process.exit();
        });
      },
    ],
  ]),
  socketRoutes: new Map(),
  allowedOrigins: [],
  maxInboundFrameBytes: 1_024,
  maxStallMs: 60_000,
  lostPeers: new LostPeers({ clock: systemClock }),
  logger: createLogger({ level: 'error' }),
});
server.listen(port, here);
await once(server, 'listening');
const client = spawn('nsenter', [
  '-t',
  namespace,
  '-n',
  process.execPath,
  '-e',
  `require('http').get('http://${here}:${port}/stream', (r) => r.once('data', (d) => process.stdout.write(d)).resume())`,
]);
process.on('exit', () => client.kill('SIGKILL'));
await once(client.stdout, 'data');
// What goes to it from now on arrives nowhere, and nothing comes back.
run(`ip neigh replace ${there} lladdr 02:00:00:00:00:99 dev near nud permanent`);
sinceCut = new RunningTime();
setTimeout(() => {
  process.stdout.write(`${JSON.stringify({ noticedAfterMs: null })}\n`);
  process.exit();
}, givenUpMs);
