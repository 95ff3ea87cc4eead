import assert from 'node:assert/strict';
import { closePayload, opcodes, type SentFrame } from './frame.ts';
import type { Case } from './stage.ts';

/** What a client must not send, and with which code the server fails the connection for it. */
interface Violation {
  /** Of RFC 6455. */
  readonly section: string;
  readonly title: string;
  readonly frames: readonly SentFrame[];
  readonly code: number;
}

const { continuation, text, binary, close, ping, pong } = opcodes;
const protocolError = 1002;
const invalidText = 1007;

/** RFC 3629: none of these is UTF-8. */
const invalidUtf8 = {
  'a byte that never occurs': [0xff],
  'a continuation byte alone': [0x80],
  'an overlong form': [0xc0, 0xaf],
  'a surrogate': [0xed, 0xa0, 0x80],
  'more than U+10FFFF': [0xf4, 0x90, 0x80, 0x80],
  'a character that is cut off': [0xe2, 0x82],
};

const badCloseCodes = [0, 999, 1004, 1005, 1006, 1015, 1016, 2_000, 2_999, 5_000, 65_535];

const all: readonly Violation[] = [
  {
    section: '5.1',
    title: 'a frame that is not masked',
    frames: [{ payload: '{}', isMasked: false }],
    code: protocolError,
  },
  ...[1, 2, 4, 7].map((rsv) => ({
    section: '5.2',
    title: `reserved bits ${rsv.toString(2).padStart(3, '0')} without an extension`,
    frames: [{ payload: '{}', rsv }],
    code: protocolError,
  })),
  ...[ping, pong, close].map((opcode) => ({
    section: '5.2',
    title: `reserved bits on a control frame ${opcode}`,
    frames: [{ opcode, rsv: 4 }],
    code: protocolError,
  })),
  ...[3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map((opcode) => ({
    section: '5.2',
    title: `the reserved opcode ${opcode}`,
    frames: [{ opcode }],
    code: protocolError,
  })),
  ...[continuation, continuation].map((opcode, index) => ({
    section: '5.4',
    title: `a continuation of nothing, ${index === 0 ? 'the last' : 'not the last'}`,
    frames: [{ opcode, payload: '{}', fin: index === 0 }],
    code: protocolError,
  })),
  ...[text, binary].map((opcode) => ({
    section: '5.4',
    title: `a message ${opcode} within another one`,
    frames: [
      { payload: '{', fin: false },
      { opcode, payload: '}' },
    ],
    code: protocolError,
  })),
  ...[ping, pong, close].flatMap((opcode) => [
    {
      section: '5.5',
      title: `a control frame ${opcode} that is not the last of its message`,
      frames: [{ opcode, fin: false }],
      code: protocolError,
    },
    {
      section: '5.5',
      title: `a control frame ${opcode} of more than 125 bytes`,
      frames: [{ opcode, payload: Buffer.alloc(126, 3) }],
      code: protocolError,
    },
  ]),
  {
    section: '5.5.1',
    title: 'a close of one byte',
    frames: [{ opcode: close, payload: Buffer.from([3]) }],
    code: protocolError,
  },
  ...badCloseCodes.map((code) => ({
    section: '7.4',
    title: `a close with the code ${code}`,
    frames: [{ opcode: close, payload: closePayload(code) }],
    code: protocolError,
  })),
  {
    section: '5.5.1',
    title: 'a close whose reason is not UTF-8',
    frames: [{ opcode: close, payload: closePayload(1_000, Buffer.from([0xff])) }],
    code: invalidText,
  },
  ...Object.entries(invalidUtf8).map(([what, bytes]) => ({
    section: '8.1',
    title: `a text with ${what}`,
    frames: [{ payload: Buffer.from([0x22, ...bytes, 0x22]) }],
    code: invalidText,
  })),
  {
    section: '8.1',
    title: 'a text in fragments that is not UTF-8 as a whole',
    frames: [
      { payload: Buffer.from([0x22, 0xe2, 0x82]), fin: false },
      { opcode: continuation, payload: Buffer.from([0x22]) },
    ],
    code: invalidText,
  },
];

export const violations: readonly Case[] = all.map(({ section, title, frames, code }) => ({
  title: `${section}: ${title} is answered with ${code}`,
  async play(t, stage) {
    const client = await stage.connect(t);
    client.send(...frames);
    assert.equal(await client.closed(), code);
  },
}));
