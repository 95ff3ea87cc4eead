import assert from 'node:assert/strict';
import { constants, deflateRawSync } from 'node:zlib';
import { opcodes, type SentFrame } from './frame.ts';
import type { Case } from './stage.ts';

const { continuation, ping } = opcodes;
const rsv1 = 4;
const offering = { 'sec-websocket-extensions': 'permessage-deflate' };

const offers = {
  'permessage-deflate': true,
  'permessage-deflate; client_max_window_bits': true,
  'permessage-deflate; server_max_window_bits=9, permessage-deflate': true,
  'permessage-deflate; server_max_window_bits=9': false,
  'permessage-deflate; unknown=1': false,
  'permessage-deflate; client_max_window_bits; client_max_window_bits': false,
  'x-another': false,
} as const;

interface Violation {
  readonly title: string;
  readonly frames: readonly SentFrame[];
  readonly code: number;
}

const violations: readonly Violation[] = [
  {
    title: '6.1: the bit of compression on a fragment that is not the first',
    frames: [
      { payload: deflate('{}'), rsv: rsv1, fin: false },
      { opcode: continuation, rsv: rsv1 },
    ],
    code: 1002,
  },
  {
    title: '6: the bit of compression on a ping',
    frames: [{ opcode: ping, rsv: rsv1 }],
    code: 1002,
  },
  {
    title: '6: another reserved bit beside it',
    frames: [{ payload: deflate('{}'), rsv: rsv1 | 2 }],
    code: 1002,
  },
  {
    title: '6.2: what is no deflate',
    frames: [{ payload: Buffer.alloc(64, 0xff), rsv: rsv1 }],
    code: 1007,
  },
  {
    title: '8: a message that is larger than the limit once it is decompressed',
    frames: [{ payload: deflate(' '.repeat(10_000_000)), rsv: rsv1 }],
    code: 1009,
  },
  {
    title: '8.1: a text that is not UTF-8 once it is decompressed',
    frames: [{ payload: deflate(Buffer.from([0x22, 0xff, 0x22])), rsv: rsv1 }],
    code: 1007,
  },
];

/** Of a server that agrees on permessage-deflate (RFC 7692). */
export const compressions: readonly Case[] = [
  ...Object.entries(offers).map(
    ([offer, isAccepted]): Case => ({
      title: `5: the offer ${offer} is ${isAccepted ? 'accepted' : 'declined'}`,
      async play(t, stage) {
        const headers = { 'sec-websocket-extensions': offer };
        const { status, headers: answered, client } = await stage.shakeHands(t, headers);
        assert.equal(status, 101);
        const agreed = answered.get('sec-websocket-extensions')?.split(';')[0];
        assert.equal(agreed, isAccepted ? 'permessage-deflate' : undefined);
        client.send({ payload: stage.endpoint.message });
        await stage.assertAnswered(client);
      },
    }),
  ),
  {
    title: '6.2: a message may be compressed, in fragments, or not at all',
    async play(t, stage) {
      const { message } = stage.endpoint;
      const deflated = deflate(message);
      const half = deflated.length >> 1;
      for (const frames of [
        [{ payload: deflated, rsv: rsv1 }],
        [
          { payload: deflated.subarray(0, half), rsv: rsv1, fin: false },
          { opcode: ping },
          { opcode: continuation, payload: deflated.subarray(half) },
        ],
        [{ payload: message }],
      ]) {
        const client = await stage.connect(t, offering);
        client.send(...frames);
        await stage.assertAnswered(client);
      }
    },
  },
  ...violations.map(
    ({ title, frames, code }): Case => ({
      title: `${title} is answered with ${code}`,
      async play(t, stage) {
        const client = await stage.connect(t, offering);
        client.send(...frames);
        assert.equal(await client.closed(), code);
      },
    }),
  ),
];

/** RFC 7692, section 7.2.1. */
function deflate(data: string | Buffer): Buffer {
  return deflateRawSync(data, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4);
}
