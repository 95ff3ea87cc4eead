import { html, nothing, type TemplateResult } from 'lit-html';
import { repeat } from 'lit-html/directives/repeat.js';
import type { Messages, Shown } from '../messages.ts';
import { count, timeOfDay } from './numbers.ts';

export interface MessageListModel {
  readonly kind: 'events' | 'deadLetters';
  readonly messages: Messages;
  /** The place of the one whose details are open. */
  readonly open: string | undefined;
  readonly onOpen: (place: string | undefined) => void;
}

export function messageList({ kind, messages, open, onOpen }: MessageListModel): TemplateResult {
  if (messages.shown.length === 0) {
    return html`<p class="empty">
      ${kind === 'events' ? 'Waiting for events…' : 'No dead letters since you opened this page.'}
    </p>`;
  }
  return html`<div class="messages" role="table" aria-label="Messages, newest first">
    ${repeat(
      messages.shown,
      ({ place }) => place,
      (message) => row(message, message.place === open, onOpen),
    )}
  </div>`;
}

function row(
  message: Shown,
  isOpen: boolean,
  onOpen: (place: string | undefined) => void,
): TemplateResult {
  const { place, timestamp, title, late, omitted, summary, detail, cursor } = message;
  return html`<div class="message" role="row">
    <button class="line" aria-expanded=${isOpen} @click=${() => onOpen(isOpen ? undefined : place)}>
      <time datetime=${timestamp} title=${timestamp}>${timeOfDay(timestamp)}</time>
      <span class="title">${title}</span>
      <span class="marks">
        ${late ? html`<mark class="late" title="Its place in the order had gone by">late</mark>` : nothing}
        ${
          omitted > 0
            ? html`<mark title="Left out before it, by the delivery mode">+${count(omitted)}</mark>`
            : nothing
        }
      </span>
      <span class="summary">${summary}</span>
      <span class="place">${place}</span>
    </button>
    ${
      isOpen
        ? html`<div class="detail">
            <pre>${detail}</pre>
            <p><small>cursor</small> <code>${cursor}</code></p>
          </div>`
        : nothing
    }
  </div>`;
}
