import { html, nothing, type TemplateResult } from 'lit-html';
import { ref } from 'lit-html/directives/ref.js';
import type { Connection } from '../feed.ts';
import type { Messages } from '../messages.ts';
import type { Selection } from '../selection.ts';
import type { Snippet } from '../snippets.ts';
import type { Topic } from '../topics.ts';
import { controls } from './controls.ts';
import { figures } from './figures.ts';
import { messageList } from './message-list.ts';
import { count, perSecond } from './numbers.ts';

export interface WorkbenchModel {
  readonly topic: Topic;
  readonly selection: Selection;
  readonly connection: Connection;
  readonly messages: Messages;
  /** Left out by the delivery mode so far. */
  readonly omitted: number;
  /** Records a second, as read from Kafka, and messages a second, as they come here. */
  readonly rates: { readonly received: number; readonly shown: number };
  readonly open: string | undefined;
  readonly snippets: readonly Snippet[];
  readonly onSelect: (selection: Selection) => void;
  readonly onOpen: (place: string | undefined) => void;
  readonly onHold: (held: boolean) => void;
  readonly onClear: () => void;
  readonly onRetry: () => void;
  readonly onCopy: (text: string) => void;
  /** Told of the element that the chart is drawn in, and when it goes. */
  readonly onChartElement: (element: Element | undefined) => void;
}

export function workbench(model: WorkbenchModel): TemplateResult {
  const { topic, selection, connection, messages, rates, onSelect, onHold } = model;
  const tab = (kind: Selection['kind'], text: string): TemplateResult => html`<button
    role="tab"
    aria-selected=${selection.kind === kind}
    @click=${() => onSelect({ ...selection, kind })}
  >
    ${text}
  </button>`;
  return html`<section class="workbench">
    <header>
      <h1>${topic.name}</h1>
      <small>
        ${topic.kafkaTopic === topic.name ? nothing : html`Kafka topic <code>${topic.kafkaTopic}</code> · `}
        ${count(topic.partitions.length)} partitions
      </small>
    </header>
    ${figures(topic, rates.received)}
    <div class="chart" ${ref(model.onChartElement)}></div>
    <p class="legend">
      <span class="key received"></span> read from Kafka
      <span class="key shown"></span> shown here, ${perSecond(rates.shown)}
      ${model.omitted > 0 ? html`· ${count(model.omitted)} left out by the delivery mode` : nothing}
    </p>
    <div class="bar">
      <div role="tablist">${tab('events', 'Events')} ${tab('deadLetters', 'Dead letters')}</div>
      <div class="actions">
        ${connectionState(connection)}
        <button class="outline small" @click=${() => onHold(!messages.held)}>
          ${messages.held ? `Go on (${count(messages.waiting)} new)` : 'Hold'}
        </button>
        <button class="outline secondary small" @click=${model.onClear}>Clear</button>
      </div>
    </div>
    ${selection.kind === 'events' ? controls({ selection, onChange: onSelect }) : nothing}
    ${
      connection.state === 'closed' && connection.reason !== undefined
        ? html`<p class="refusal" role="alert">
            <code>${connection.code}</code> ${connection.reason}
            <button class="small" @click=${model.onRetry}>Start again from now</button>
          </p>`
        : nothing
    }
    ${messageList({ kind: selection.kind, messages, open: model.open, onOpen: model.onOpen })}
    <details class="snippets">
      <summary>The same from elsewhere</summary>
      ${model.snippets.map(
        ({ title, text }) => html`<figure>
          <figcaption>
            ${title}
            <button class="outline secondary small" @click=${() => model.onCopy(text)}>Copy</button>
          </figcaption>
          <pre>${text}</pre>
        </figure>`,
      )}
    </details>
  </section>`;
}

const stateTexts: Record<Connection['state'], string> = {
  connecting: 'connecting',
  'catching-up': 'catching up',
  live: 'live',
  waiting: 'waiting to reconnect',
  closed: 'closed',
};

function connectionState({ state }: Connection): TemplateResult {
  return html`<span class="connection" data-state=${state} role="status">${stateTexts[state]}</span>`;
}
