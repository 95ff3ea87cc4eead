import { html, nothing, type TemplateResult } from 'lit-html';
import { operators } from '../../client/operators.ts';
import type { Condition, Selection } from '../selection.ts';

export interface ControlsModel {
  readonly selection: Selection;
  readonly onChange: (selection: Selection) => void;
}

/** The most conditions that can be put together here. */
const maxConditions = 8;

const orders = [
  ['', 'Order of the topic'],
  ['TIMESTAMP', 'By timestamp'],
  ['SEQUENCE', 'By sequence'],
  ['ARRIVAL', 'As they arrive'],
] as const;
const modes = [
  ['ALL', 'All events'],
  ['LATEST', 'Latest per value'],
  ['SAMPLE', 'Samples'],
] as const;
const intervals = [250, 1_000, 5_000];

/** What is asked for: all of it is the server's work, and the same over every transport. */
export function controls({ selection, onChange }: ControlsModel): TemplateResult {
  const { order, deduplicate, mode, by, everyMs, where } = selection;
  const change = (changed: Partial<Selection>): void => onChange({ ...selection, ...changed });
  return html`<div class="controls">
    ${select('Order', orders, order, (chosen) => change({ order: chosen }))}
    ${select('Delivery', modes, mode, (chosen) => change({ mode: chosen }))}
    ${
      mode === 'LATEST'
        ? html`<input
            aria-label="Property"
            placeholder="per value of, e.g. user.id"
            .value=${by}
            @change=${(event: Event) => change({ by: typed(event) })}
          />`
        : nothing
    }
    ${
      mode === 'ALL'
        ? nothing
        : select(
            'Interval',
            intervals.map((ms) => [String(ms), `every ${ms / 1_000} s`] as const),
            String(everyMs),
            (chosen) => change({ everyMs: Number(chosen) }),
          )
    }
    <label class="check">
      <input
        type="checkbox"
        .checked=${deduplicate}
        @change=${() => change({ deduplicate: !deduplicate })}
      />
      Without duplicates
    </label>
    ${where.map((condition, index) =>
      conditionRow(condition, (changed) =>
        change({
          where: where.flatMap((other, at) =>
            at === index ? (changed === undefined ? [] : [changed]) : [other],
          ),
        }),
      ),
    )}
    <button
      class="outline secondary small"
      ?disabled=${where.length >= maxConditions}
      @click=${() => change({ where: [...where, { property: '', operator: 'EQ', value: '' }] })}
    >
      + Filter
    </button>
  </div>`;
}

function conditionRow(
  condition: Condition,
  onChange: (condition: Condition | undefined) => void,
): TemplateResult {
  const change = (changed: Partial<Condition>): void => onChange({ ...condition, ...changed });
  return html`<div class="condition" role="group">
    <input
      aria-label="Property of the filter"
      placeholder="property, e.g. user.country"
      .value=${condition.property}
      @change=${(event: Event) => change({ property: typed(event) })}
    />
    ${select(
      'Operator',
      operators.map((operator) => [operator, operator] as const),
      condition.operator,
      (operator) => change({ operator }),
    )}
    <input
      aria-label="Value of the filter"
      placeholder="value, e.g. DE"
      .value=${condition.value}
      @change=${(event: Event) => change({ value: typed(event) })}
    />
    <button class="outline secondary small" aria-label="Remove the filter" @click=${() => onChange(undefined)}>
      ×
    </button>
  </div>`;
}

function select<Value extends string>(
  label: string,
  options: readonly (readonly [value: Value, text: string])[],
  chosen: Value,
  onChoose: (value: Value) => void,
): TemplateResult {
  const choose = ({ target }: Event): void => {
    if (!(target instanceof HTMLSelectElement)) return;
    const option = options[target.selectedIndex];
    if (option !== undefined) onChoose(option[0]);
  };
  return html`<select aria-label=${label} @change=${choose}>
    ${options.map(
      ([value, text]) =>
        html`<option value=${value} .selected=${value === chosen}>${text}</option>`,
    )}
  </select>`;
}

function typed({ target }: Event): string {
  return target instanceof HTMLInputElement ? target.value : '';
}
