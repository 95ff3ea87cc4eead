import { html, nothing, type TemplateResult } from 'lit-html';
import { guard } from 'lit-html/directives/guard.js';
import { repeat } from 'lit-html/directives/repeat.js';
import type { Messages, Shown } from '../messages.ts';
import { count, timeOfDay } from './numbers.ts';

export interface MessageListModel {
  readonly kind: 'events' | 'deadLetters';
  readonly messages: Messages;
  /** What is said while there are none. */
  readonly whenEmpty: string;
  /** The place of the one whose details are open. */
  readonly open: string | undefined;
  readonly onOpen: (place: string | undefined) => void;
  /** Undefined: the browser lets nothing be copied here. */
  readonly onCopy: ((text: string) => void) | undefined;
  /** What was copied a moment ago. */
  readonly copied: string | undefined;
}

export function messageList(model: MessageListModel): TemplateResult {
  const { kind, messages, whenEmpty, open, onOpen } = model;
  if (messages.shown.length === 0) return html`<p class="empty">${whenEmpty}</p>`;
  const names = kind === 'events' ? ['Id', 'Payload'] : ['Source', 'Error and payload'];
  const isOpenShown = messages.shown.some(({ place }) => place === open);
  return html`<div class="messages" data-kind=${kind}>
    <div class="names" aria-hidden="true">
      <span>Time</span><span>${names[0]}</span><span>${names[1]}</span>
      <span class="place" title="Partition and offset in Kafka">Place</span>
    </div>
    <ol
      aria-label="Messages, newest first"
      @keydown=${(event: KeyboardEvent) => {
        if (event.key === 'Escape') onOpen(undefined);
        else moveFocus(event);
      }}
    >
      ${repeat(
        messages.shown,
        ({ place }) => place,
        (message, index) => {
          const isOpen = message.place === open;
          // One of them is reached by Tab, the others from there by the arrow keys.
          const isReached = isOpenShown ? isOpen : index === 0;
          return html`<li class="message">
            ${guard([message, isOpen, isReached], () => line(message, isOpen, isReached, onOpen))}
            ${isOpen ? detail(message, model) : nothing}
          </li>`;
        },
      )}
    </ol>
  </div>`;
}

function line(
  message: Shown,
  isOpen: boolean,
  isReached: boolean,
  onOpen: (place: string | undefined) => void,
): TemplateResult {
  const { place, timestamp, title, hint, late, omitted, error, leaves } = message;
  return html`<button
    class="line"
    aria-expanded=${isOpen}
    tabindex=${isReached ? 0 : -1}
    @click=${() => onOpen(isOpen ? undefined : place)}
  >
    <time datetime=${timestamp} title=${timestamp}>${timeOfDay(timestamp)}</time>
    <span class="title" title=${hint}>${title}</span>
    <span class="summary">
      ${late ? html`<mark class="late" title="Its place in the order had gone by">late</mark>` : nothing}
      ${
        omitted > 0
          ? html`<mark title="Left out before it, by the delivery mode">+${count(omitted)}</mark>`
          : nothing
      }
      ${error === undefined ? nothing : html`<span class="error">${error}</span>`}
      ${leaves().map(
        ({ path, text }) =>
          html`<span class="leaf">${path === '' ? nothing : html`<i>${path}</i> `}${text}</span>`,
      )}
    </span>
    <span class="place">${place}</span>
  </button>`;
}

function detail(message: Shown, { onCopy, copied }: MessageListModel): TemplateResult {
  const { cursor, error, facts } = message;
  const text = message.detail();
  const copy = (what: string, value: string): TemplateResult | typeof nothing =>
    onCopy === undefined
      ? nothing
      : html`<button class="outline secondary small" @click=${() => onCopy(value)}>
          ${copied === value ? 'Copied' : `Copy ${what}`}
        </button>`;
  return html`<div class="detail">
    ${error === undefined ? nothing : html`<p class="refusal">${error}</p>`}
    <pre>${text}</pre>
    <dl>
      ${facts.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}
      <div class="cursor"><dt>cursor</dt><dd>${cursor}</dd></div>
    </dl>
    <p>${copy('payload', text)} ${copy('cursor', cursor)}</p>
  </div>`;
}

function moveFocus(event: KeyboardEvent): void {
  if (!(event.currentTarget instanceof HTMLElement)) return;
  const lines = [...event.currentTarget.querySelectorAll<HTMLElement>('.line')];
  const at = lines.findIndex((line) => line === document.activeElement);
  const next: Readonly<Record<string, number>> = {
    ArrowDown: at + 1,
    ArrowUp: at - 1,
    Home: 0,
    End: lines.length - 1,
  };
  const to = next[event.key];
  if (at < 0 || to === undefined) return;
  event.preventDefault();
  lines[to]?.focus();
}
