import { SharedFrames } from '../../src/transports/shared-frames.ts';
import { frameHeader } from '../../src/transports/websocket/frame-header.ts';

/** Text frames; where `hole` stands in a text, the client's mark belongs. */
export function textFrames(texts: readonly string[], hole?: string): SharedFrames {
  const places: number[] = [];
  const frames: Buffer[] = [];
  let at = 0;
  for (const text of texts) {
    const payload = Buffer.from(text);
    const header = frameHeader(payload.length, false);
    const place = hole === undefined ? -1 : payload.indexOf(hole);
    if (place >= 0) places.push(at + header.length + place);
    frames.push(header, payload);
    at += header.length + payload.length;
  }
  return new SharedFrames(Buffer.concat(frames), places);
}
