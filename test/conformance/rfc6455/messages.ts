import assert from 'node:assert/strict';
import { closePayload, encodeFrame, opcodes, type SentFrame } from './frame.ts';
import { type Case, maxMessageBytes } from './stage.ts';

const { continuation, text, close, ping, pong } = opcodes;
const goodCloseCodes = [1000, 1001, 1003, 1007, 1011, 1012, 1013, 3000, 3999, 4000, 4999];

export const messages: readonly Case[] = [
  {
    title: '5.3: a message is understood, and answered without a mask',
    async play(t, stage) {
      const client = await stage.connect(t);
      client.send({ payload: stage.endpoint.message });
      await stage.assertAnswered(client);
    },
  },
  {
    title: '5.4: a message in fragments is one, with control frames among them',
    async play(t, stage) {
      const client = await stage.connect(t);
      const bytes = [...Buffer.from(stage.endpoint.message)].map((byte) => Buffer.from([byte]));
      const fragments: SentFrame[] = [Buffer.alloc(0), ...bytes].map((payload, index) => ({
        opcode: index === 0 ? text : continuation,
        payload,
        fin: false,
      }));
      client.send(...fragments, { opcode: ping, payload: 'among' }, { opcode: pong });
      const answered = await client.next();
      assert.equal(answered?.opcode, pong);
      assert.equal(answered?.payload.toString(), 'among');
      client.send({ opcode: continuation });
      await stage.assertAnswered(client);
    },
  },
  {
    title: '5.2: frames may come byte by byte, or many at once',
    async play(t, stage) {
      const client = await stage.connect(t);
      for (const byte of encodeFrame({ opcode: ping, payload: 'slow' })) {
        client.sendBytes(Buffer.from([byte]));
      }
      assert.equal((await client.nextOf(pong)).payload.toString(), 'slow');
      const { message } = stage.endpoint;
      client.send({ opcode: ping, payload: '1' }, { payload: message }, { opcode: ping });
      assert.equal((await client.nextOf(pong)).payload.toString(), '1');
      await stage.assertAnswered(client);
    },
  },
  {
    title: '5.5.2: a ping is answered with its own payload, a pong with nothing',
    async play(t, stage) {
      const client = await stage.connect(t);
      client.send({ opcode: pong, payload: 'unasked' });
      for (const payload of [Buffer.alloc(0), Buffer.alloc(125, 0xfe)]) {
        client.send({ opcode: ping, payload });
        const frame = await client.next();
        assert.equal(frame?.opcode, pong);
        assert.deepEqual(frame?.payload, payload);
      }
    },
  },
  ...goodCloseCodes.map(
    (code): Case => ({
      title: `5.5.1: a close with ${code} is answered with the same, and the connection ended`,
      async play(t, stage) {
        const client = await stage.connect(t);
        client.send({ opcode: close, payload: closePayload(code, 'r'.repeat(123)) });
        assert.equal(await client.closed(), code);
      },
    }),
  ),
  {
    title: '5.5.1: a close without a code is answered with one, and what follows it is left out',
    async play(t, stage) {
      const client = await stage.connect(t);
      client.send({ opcode: close }, { payload: stage.endpoint.message }, { opcode: ping });
      const frame = await client.next();
      assert.equal(frame?.opcode, close);
      assert.equal(frame?.payload.length, 0);
      assert.equal(await client.next(), undefined);
    },
  },
  {
    title: '10.4: a message may be as large as the limit, and not larger',
    async play(t, stage) {
      const client = await stage.connect(t);
      const { message } = stage.endpoint;
      client.send({ payload: message + ' '.repeat(maxMessageBytes - Buffer.byteLength(message)) });
      await stage.assertAnswered(client);
      // Its head alone says that it is.
      client.sendBytes(encodeFrame({ payload: 'x'.repeat(maxMessageBytes + 1) }).subarray(0, 14));
      assert.equal(await client.closed(), 1009);
    },
  },
  {
    title: '10.4: fragments together are not larger than the limit',
    async play(t, stage) {
      const client = await stage.connect(t);
      const half = ' '.repeat(maxMessageBytes / 2 + 1);
      client.send(
        { payload: half, fin: false },
        { opcode: continuation, payload: half, fin: false },
      );
      assert.equal(await client.closed(), 1009);
    },
  },
  {
    title: '5.2: a length whose first bit is set is refused',
    async play(t, stage) {
      const client = await stage.connect(t);
      client.sendBytes(Buffer.from([0x81, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 1, 1, 2, 3, 4]));
      assert.ok([1002, 1009].includes((await client.closed()) ?? 0));
    },
  },
];
