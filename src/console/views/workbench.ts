import { html, nothing, type TemplateResult } from 'lit-html';
import { ref } from 'lit-html/directives/ref.js';
import type { Connection } from '../feed.ts';
import type { Messages } from '../messages.ts';
import { argumentsOf, type Selection } from '../selection.ts';
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
  /** Records a second, as read from Kafka, and messages a second, as they come here; undefined: not known. */
  readonly rates: { readonly received: number | undefined; readonly shown: number | undefined };
  readonly open: string | undefined;
  readonly snippets: readonly Snippet[];
  readonly onSelect: (selection: Selection) => void;
  readonly onOpen: (place: string | undefined) => void;
  readonly onHold: (held: boolean) => void;
  readonly onClear: () => void;
  readonly onRetry: () => void;
  /** Undefined: the browser lets nothing be copied here. */
  readonly onCopy: ((text: string) => void) | undefined;
  /** What was copied a moment ago. */
  readonly copied: string | undefined;
  /** Told of the element that the chart is drawn in, and when it goes. */
  readonly onChartElement: (element: Element | undefined) => void;
}

export function workbench(model: WorkbenchModel): TemplateResult {
  const { topic, selection, connection, messages, rates, onSelect, onHold } = model;
  const { onCopy, copied } = model;
  const tab = (kind: Selection['kind'], text: string): TemplateResult => html`<button
    role="tab"
    aria-selected=${selection.kind === kind}
    tabindex=${selection.kind === kind ? 0 : -1}
    @click=${() => onSelect({ ...selection, kind })}
  >
    ${text}
  </button>`;
  const changeTab = (event: KeyboardEvent): void => {
    if (event.key !== 'ArrowLeft' && event.key !== 'ArrowRight') return;
    onSelect({ ...selection, kind: selection.kind === 'events' ? 'deadLetters' : 'events' });
    if (!(event.currentTarget instanceof HTMLElement)) return;
    event.currentTarget.querySelector<HTMLElement>('[aria-selected=true]')?.focus();
  };
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
      <div role="tablist" aria-label="What is shown" @keydown=${changeTab}>
        ${tab('events', 'Events')} ${tab('deadLetters', 'Dead letters')}
      </div>
      <div class="actions">
        ${connectionState(connection)}
        <button class="outline small" @click=${() => onHold(!messages.held)}>
          ${messages.held ? `Go on (${count(messages.waiting)} new)` : 'Hold'}
        </button>
        <button class="outline secondary small" @click=${model.onClear}>Clear</button>
      </div>
    </div>
    ${selection.kind === 'events' ? controls({ selection, onChange: onSelect }) : nothing}
    ${refusal(connection, model.onRetry)}
    ${messageList({ ...model, kind: selection.kind, whenEmpty: whenEmpty(model) })}
    <details class="snippets">
      <summary>The same from elsewhere</summary>
      ${model.snippets.map(
        ({ title, text }) => html`<figure>
          <figcaption>
            ${title}
            ${
              onCopy === undefined
                ? nothing
                : html`<button class="outline secondary small" @click=${() => onCopy(text)}>
                    ${copied === text ? 'Copied' : 'Copy'}
                  </button>`
            }
          </figcaption>
          <pre>${text}</pre>
        </figure>`,
      )}
    </details>
  </section>`;
}

/** Why nothing comes, beyond a connection that is lost. */
function refusal(connection: Connection, onRetry: () => void): TemplateResult | typeof nothing {
  const { state, code, reason } = connection;
  const isLost = state === 'waiting' && code === 'CONNECTION_LOST';
  if (reason === undefined || isLost) return nothing;
  return html`<p class="refusal" role="alert">
    <code>${code}</code> ${reason}
    ${
      state === 'closed'
        ? html`<button class="small" @click=${onRetry}>Start again from now</button>`
        : nothing
    }
  </p>`;
}

function whenEmpty({ connection, selection, messages }: WorkbenchModel): string {
  if (messages.held) return 'The list is held.';
  if (connection.state === 'closed') return 'Nothing comes any more.';
  if (connection.state === 'waiting') return 'Waiting for the server…';
  if (selection.kind === 'deadLetters') return 'No dead letters since you opened this page.';
  return argumentsOf(selection).where === undefined
    ? 'Waiting for events… What is recorded from now on comes here.'
    : 'Waiting for events… What is recorded from now on and passes the filters comes here.';
}

const stateTexts: Record<Connection['state'], string> = {
  connecting: 'connecting',
  'catching-up': 'catching up',
  live: 'live',
  waiting: 'reconnecting',
  closed: 'closed',
};

function connectionState({ state, untilMs }: Connection): TemplateResult {
  const seconds = Math.ceil(((untilMs ?? 0) - Date.now()) / 1_000);
  return html`<span class="connection" data-state=${state}>
    <span role="status">${stateTexts[state]}</span>
    ${seconds > 0 ? html`<span aria-hidden="true">in ${seconds} s</span>` : nothing}
  </span>`;
}
