import uPlot from 'uplot';

/** Of what is null nobody knows anything: a gap. */
export type Series = [seconds: number[], received: (number | null)[], shown: (number | null)[]];

const height = 130;

const clock = new Intl.DateTimeFormat('en-GB', {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
});

function timeOfDay(seconds: number): string {
  return clock.format(seconds * 1_000);
}

/** Events per second over the last minutes. */
export class RateChart {
  readonly element: HTMLElement;
  readonly #plot: uPlot;
  readonly #resized: ResizeObserver;

  constructor(element: HTMLElement) {
    this.element = element;
    const style = getComputedStyle(document.documentElement);
    const colour = (name: string) => style.getPropertyValue(name).trim();
    const axis = {
      stroke: colour('--pico-muted-color'),
      grid: { stroke: colour('--pico-muted-border-color'), width: 1 },
      ticks: { show: false },
      font: '11px system-ui, sans-serif',
    };
    this.#plot = new uPlot(
      {
        width: element.clientWidth,
        height,
        legend: { show: false },
        cursor: { show: false },
        scales: { y: { range: (_plot, _low, high) => [0, Math.max(5, high * 1.15)] } },
        axes: [
          { ...axis, size: 26, space: 80, values: (_plot, seconds) => seconds.map(timeOfDay) },
          { ...axis, size: 44, space: 34 },
        ],
        series: [
          {},
          {
            label: 'read from Kafka',
            stroke: colour('--console-received'),
            fill: colour('--console-received-fill'),
            width: 1.5,
            points: { show: false },
          },
          {
            label: 'shown here',
            stroke: colour('--pico-primary'),
            width: 2,
            points: { show: false },
          },
        ],
      },
      [[], [], []],
      element,
    );
    this.#resized = new ResizeObserver(() =>
      this.#plot.setSize({ width: element.clientWidth, height }),
    );
    this.#resized.observe(element);
  }

  show(series: Series): void {
    this.#plot.setData(series);
  }

  close(): void {
    this.#resized.disconnect();
    this.#plot.destroy();
  }
}
