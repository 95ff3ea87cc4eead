import type { MillraceError } from '../../core/errors.ts';
import { formatMilliseconds, formatTimestamp } from '../../decode/timestamp.ts';
import { DeadLetterMessage, EventMessage, type Message } from '../../hub/message.ts';
import type { MessageType } from './protocol.ts';

/** By which a message keeps its text: one for all subscribers of plain feeds. */
const textKey = {};

/** A message of the hub as one of the protocol: JSON text in UTF-8, made once. */
export function messageText(message: Message): Buffer {
  return message.once(textKey, () => Buffer.from(write(message)));
}

/** The `type` that stands in its text. */
export function typeOf(message: Message): MessageType {
  return message instanceof DeadLetterMessage ? 'deadLetter' : 'event';
}

/** @param cursor where the feed begins, if that is known and the client does not know it */
export function readyText(cursor: string | undefined): string {
  return textOf('ready', { cursor });
}

/** @param cursor where the feed stands @param isLive it has come from the past to what is recorded now */
export function progressText(cursor: string, isLive: boolean): string {
  return textOf(isLive ? 'live' : 'progress', { cursor });
}

export const aliveText = textOf('alive', {});

export function errorText({ code, message, details }: MillraceError): string {
  return textOf('error', { code, message, ...details });
}

function textOf(type: MessageType, fields: Readonly<Record<string, unknown>>): string {
  return JSON.stringify({ type, ...fields });
}

function write(message: Message): string {
  if (message instanceof EventMessage) return eventText(message);
  if (message instanceof DeadLetterMessage) return deadLetterText(message);
  throw new Error('plain feeds hold events and dead letters only');
}

/** Put together by hand, because the payload goes in as it is. */
function eventText({ topic, event, late, omitted, cursor }: EventMessage): string {
  const { id, sequence, json, partition, offset, recordedAtMs } = event;
  return (
    `{"type":"event","event":{"id":${JSON.stringify(id)},"topic":${JSON.stringify(topic)},` +
    `"timestamp":"${formatTimestamp(event)}","sequence":${sequence === null ? 'null' : `"${sequence}"`},` +
    `"payload":${json},"partition":${partition},"offset":"${offset}",` +
    `"recordedAt":"${formatMilliseconds(recordedAtMs)}","late":${late},"omitted":${omitted},` +
    `"cursor":"${cursor}"}}`
  );
}

function deadLetterText({ topic, deadLetter, cursor }: DeadLetterMessage): string {
  const { event, error, source, partition, offset, recordedAtMs } = deadLetter;
  return textOf('deadLetter', {
    deadLetter: {
      event,
      error,
      source,
      topic,
      partition,
      offset: String(offset),
      recordedAt: formatMilliseconds(recordedAtMs),
      cursor,
    },
  });
}
