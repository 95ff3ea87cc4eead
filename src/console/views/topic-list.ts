import { html, type TemplateResult } from 'lit-html';
import { repeat } from 'lit-html/directives/repeat.js';
import type { FeedState, Topic } from '../topics.ts';
import { perSecond } from './numbers.ts';

export interface TopicListModel {
  readonly topics: readonly Topic[];
  readonly chosen: string | undefined;
  /** Records a second, as read from Kafka; undefined: that is not known. */
  readonly rateOf: (topic: string) => number | undefined;
  readonly onChoose: (topic: string) => void;
}

const stateTitles: Record<FeedState, string> = {
  IDLE: 'Nobody is subscribed: the topic is not being read',
  STARTING: 'Reading begins',
  RUNNING: 'Being read',
  DEGRADED: 'Some partitions cannot be read at the moment; nothing is lost',
  FAILED: 'Reading has ended',
};

export function topicList({ topics, chosen, rateOf, onChoose }: TopicListModel): TemplateResult {
  if (topics.length === 0) {
    return html`<p class="empty">This key can read no topics yet.</p>`;
  }
  return html`<ul class="topics">
    ${repeat(
      topics,
      ({ name }) => name,
      ({ name, feed }) => html`<li>
        <button
          class="topic"
          aria-current=${name === chosen ? 'page' : 'false'}
          @click=${() => onChoose(name)}
        >
          <span class="dot" data-state=${feed.state} title=${stateTitles[feed.state]}></span>
          <span class="name">${name}</span>
          <span class="rate">${feed.state === 'IDLE' ? 'idle' : perSecond(rateOf(name))}</span>
        </button>
      </li>`,
    )}
  </ul>`;
}
