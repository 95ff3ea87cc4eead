import { createHmac, type KeyObject, timingSafeEqual } from 'node:crypto';
import { MillraceError } from '../../core/errors.ts';
import { MalformedBytesError } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';
import type { CursorBinding } from './cursor-binding.ts';
import {
  type CursorContent,
  isOfThisVersion,
  readContent,
  writeFirstByte,
  writeLast,
  writeShared,
} from './cursor-content.ts';
import { boundKey } from './cursor-key.ts';
import type { LeaderEpochs } from './lanes.ts';
import type { StreamPosition } from './stream-position.ts';
import { fingerprintsOf, maybeSame, type TopicIds } from './topic-fingerprint.ts';

/** Characters that are read as a cursor at the most; as many as those of `maxLanes` lanes may have. */
export const maxCursorLength = 65_536;

/**
 * Bytes of the MAC: 96 bits of an HMAC-SHA-256, as IPsec takes of its HMACs. There is nothing to try them
 * on but the server, with one request for each guess: 2^95 on average. And a forged cursor
 * reaches no more than the topic that its sender may read anyway.
 */
const macBytes = 12;

/** What is known of the log at a position. */
export interface LogState {
  readonly topicIds: TopicIds;
  /** By lane. */
  readonly epochs: LeaderEpochs;
}

/** What a cursor says. */
export interface Cursor {
  readonly position: StreamPosition;
  readonly epochs: LeaderEpochs;
}

/**
 * Makes and reads the cursors of one stream. A cursor is base64url without padding of
 *
 *     first byte | fingerprints of the topics | lanes: R, V, epochs | K | MAC
 *
 * The lanes come before K, as they stay the same while the events of one answer are released.
 */
export class CursorCodec {
  readonly #key: KeyObject;
  readonly #topics: CursorContent['topics'];
  readonly #writer = new ByteWriter();
  readonly #sharedWriter = new ByteWriter();
  /** What `#sharedWriter` has written. */
  #shared: { readonly position: StreamPosition; readonly log: LogState } | undefined;
  #topicIds: TopicIds | undefined;
  #fingerprints = new Uint8Array();

  /** @param key 32 bytes: `cursorKeyFrom` */
  constructor(key: Uint8Array, binding: CursorBinding) {
    this.#key = boundKey(key, binding);
    this.#topics = binding.stream.kind === 'events' ? 1 : 2;
  }

  /**
   * The cursor of a position. Quick where arrays are the same objects as at the call before.
   * @throws {RangeError} when there are more partitions than `maxLanes`
   */
  encode(position: StreamPosition, log: LogState): string {
    this.#writeShared(position, log);
    const writer = this.#writer;
    writer.clear();
    writeFirstByte(writer, this.#topics, position.key);
    writer.append(this.#sharedWriter.bytes);
    writeLast(writer, position);
    writer.append(this.#mac(writer.bytes));
    const { buffer, byteOffset, length } = writer.bytes;
    return Buffer.from(buffer, byteOffset, length).toString('base64url');
  }

  /**
   * @param topicIds as they are now
   * @throws {MillraceError} `CURSOR_INVALID`; `TOPIC_RECREATED` where it is of a former topic of the name
   */
  decode(text: string, topicIds: TopicIds): Cursor {
    const bytes = bytesOf(text);
    const content = bytes.subarray(0, -macBytes);
    if (!isOfThisVersion(content)) {
      throw invalid('the cursor was made by another version of the server: start without it');
    }
    if (!timingSafeEqual(bytes.subarray(-macBytes), this.#mac(content))) {
      throw invalid(
        'the cursor is not of this project, topic and order, or it was changed: pass it exactly as ' +
          'it was received, with the same topic, order and deduplicate, or start without it, as all must when ' +
          'the settings of the topic or cursors.secret have changed',
      );
    }
    const { fingerprints, position, epochs } = contentOf(content, this.#topics);
    if (!maybeSame(fingerprints, this.#fingerprintsOf(topicIds))) {
      throw new MillraceError(
        'TOPIC_RECREATED',
        'the topic was deleted and created again since the cursor was made: start without it',
      );
    }
    return { position, epochs };
  }

  #mac(content: Uint8Array): Uint8Array {
    return createHmac('sha256', this.#key).update(content).digest().subarray(0, macBytes);
  }

  #writeShared(position: StreamPosition, log: LogState): void {
    const former = this.#shared;
    if (
      former !== undefined &&
      former.position.next === position.next &&
      former.position.lowest === position.lowest &&
      former.log.epochs === log.epochs &&
      former.log.topicIds === log.topicIds
    ) {
      return;
    }
    // Not before it is written: it may be too much.
    this.#shared = undefined;
    this.#sharedWriter.clear();
    const { next, lowest } = position;
    writeShared(this.#sharedWriter, this.#fingerprintsOf(log.topicIds), {
      next,
      lowest,
      epochs: log.epochs,
    });
    this.#shared = { position, log };
  }

  #fingerprintsOf(topicIds: TopicIds): Uint8Array {
    if (this.#topicIds !== topicIds) {
      this.#fingerprints = new Uint8Array(fingerprintsOf(topicIds));
      this.#topicIds = topicIds;
    }
    return this.#fingerprints;
  }
}

/** The bytes of a text that may be a cursor. @throws {MillraceError} when it cannot be one */
function bytesOf(text: string): Uint8Array {
  if (text.length > maxCursorLength) {
    throw invalid(`the cursor is longer than ${maxCursorLength} characters: it is none of ours`);
  }
  const bytes = Buffer.from(text, 'base64url');
  // `Buffer` passes over what it does not know: written again, it must be the same.
  if (bytes.length <= macBytes || bytes.toString('base64url') !== text) throw invalid(notACursor);
  return bytes;
}

/** @param content made with the key; which is no secret, if it was derived from the cluster's id */
function contentOf(content: Uint8Array, topics: CursorContent['topics']): CursorContent {
  try {
    return readContent(content, topics);
  } catch (error) {
    if (error instanceof MalformedBytesError) throw invalid(notACursor);
    throw error;
  }
}

const notACursor = 'this is not a cursor: pass one exactly as it was received, or start without it';

function invalid(message: string): MillraceError {
  return new MillraceError('CURSOR_INVALID', message);
}
