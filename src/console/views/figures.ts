import { html, type TemplateResult } from 'lit-html';
import type { Topic } from '../topics.ts';
import { count, perSecond } from './numbers.ts';

/** What the server says of a topic's feed. @param rate records a second, as read from Kafka */
export function figures({ feed }: Topic, rate: number | undefined): TemplateResult {
  return html`<dl class="figures">
    ${figure('Read', perSecond(rate), 'Records a second, read once for all subscribers')}
    ${figure('Subscribers', count(feed.subscribers), 'Open subscriptions on this server')}
    ${figure('Delivered', count(feed.delivered), 'Messages handed to subscribers')}
    ${figure('Duplicates', count(feed.duplicates), 'Left out: their id had been delivered')}
    ${figure('Late', count(feed.late), 'Delivered after their place in the order had gone by')}
    ${figure('Held', count(feed.held), 'Waiting in the ordering buffers now')}
    ${figure('Lag', count(feed.lag), 'Records in the log that have not been read yet')}
  </dl>`;
}

function figure(name: string, value: string, title: string): TemplateResult {
  return html`<div title=${title}>
    <dt>${name}</dt>
    <dd>${value}</dd>
  </div>`;
}
