import { CursorCodec } from './cursor/cursor-codec.ts';
import type { CursorBinding } from './cursor/cursor-binding.ts';
import type { StreamPosition } from './cursor/stream-position.ts';
import type { TopicIds } from './cursor/topic-fingerprint.ts';

const noEpochs: readonly number[] = [];

export interface CursorsOptions {
  /** 32 bytes; asked for at the first cursor, as it may not be known before. */
  readonly key: () => Uint8Array;
  readonly binding: CursorBinding;
  /** As they are now. */
  readonly topicIds: () => TopicIds;
}

/** The cursors of one project's view of a stream. */
export class Cursors {
  readonly #options: CursorsOptions;
  #codec: CursorCodec | undefined;

  constructor(options: CursorsOptions) {
    this.#options = options;
  }

  /** The cursor of a position. */
  readonly encode = (position: StreamPosition): string => {
    const { topicIds } = this.#options;
    const { epochs = noEpochs } = position;
    return this.#ready.encode(position, { topicIds: topicIds(), epochs });
  };

  /** @throws {MillraceError} `CURSOR_INVALID`, `TOPIC_RECREATED` */
  decode(text: string): StreamPosition {
    const { position, epochs } = this.#ready.decode(text, this.#options.topicIds());
    return { ...position, epochs };
  }

  get #ready(): CursorCodec {
    const { key, binding } = this.#options;
    this.#codec ??= new CursorCodec(key(), binding);
    return this.#codec;
  }
}
