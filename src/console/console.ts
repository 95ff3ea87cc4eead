import { html, nothing, render, type TemplateResult } from 'lit-html';
import { RateChart } from './chart.ts';
import { Counters } from './counters.ts';
import { type Connection, Feed } from './feed.ts';
import { Messages } from './messages.ts';
import { Rates } from './rates.ts';
import { argumentsOf, type Selection, selectionOf } from './selection.ts';
import { Refusal, type Session, TokenSource } from './session.ts';
import { snippets } from './snippets.ts';
import { fetchOverview, type Overview } from './topics.ts';
import { signIn } from './views/sign-in.ts';
import { topicList } from './views/topic-list.ts';
import { workbench } from './views/workbench.ts';

/** How often the server is asked for its topics and their figures, in milliseconds. */
const overviewMs = 1_000;
/** How often the picture is drawn at the most, in milliseconds: a reader sees no more. */
const drawMs = 100;

interface SignedIn {
  readonly session: Session;
  readonly tokens: TokenSource;
  overview: Overview;
  /** Why the server cannot be asked at the moment. */
  trouble: string | undefined;
}

/** The console: all of its state, and what changes it. Drawing only reads. */
export class Console {
  readonly #root: HTMLElement;
  readonly #start: Session;
  readonly #counters = new Counters();
  readonly #messages = new Messages();
  #signedIn: SignedIn | undefined;
  #refusal: string | undefined;
  #busy = false;
  #selection: Selection | undefined;
  #feed: Feed | undefined;
  #connection: Connection = { state: 'connecting' };
  #shownRates = new Rates();
  #omitted = 0;
  #open: string | undefined;
  #chart: RateChart | undefined;
  #drawnAtMs = 0;

  /** @param start what stands in the fields of the sign-in at first */
  constructor(root: HTMLElement, start: Session) {
    this.#root = root;
    this.#start = start;
  }

  run(): void {
    const draw = (nowMs: number): void => {
      requestAnimationFrame(draw);
      if (nowMs - this.#drawnAtMs < drawMs) return;
      this.#drawnAtMs = nowMs;
      this.#draw();
    };
    requestAnimationFrame(draw);
    setInterval(() => {
      void this.#refreshOverview();
      this.#drawChart();
    }, overviewMs);
  }

  async #signIn(session: Session): Promise<void> {
    this.#busy = true;
    this.#refusal = undefined;
    try {
      const tokens = new TokenSource(session);
      const overview = await fetchOverview(tokens);
      this.#signedIn = { session, tokens, overview, trouble: undefined };
      const [first] = overview.topics;
      if (first !== undefined) this.#select(selectionOf(first.name));
    } catch (error) {
      this.#refusal = reasonOf(error);
    } finally {
      this.#busy = false;
    }
  }

  #signOut(reason?: string): void {
    this.#feed?.close();
    this.#feed = undefined;
    this.#selection = undefined;
    this.#signedIn = undefined;
    this.#messages.clear();
    this.#refusal = reason;
  }

  async #refreshOverview(): Promise<void> {
    const signedIn = this.#signedIn;
    if (signedIn === undefined || this.#busy || document.hidden) return;
    this.#busy = true;
    try {
      signedIn.overview = await fetchOverview(signedIn.tokens);
      signedIn.trouble = undefined;
      this.#counters.update(signedIn.overview.topics, Date.now());
    } catch (error) {
      if (error instanceof Refusal && error.code === 'UNAUTHENTICATED')
        this.#signOut(error.message);
      else signedIn.trouble = reasonOf(error);
    } finally {
      this.#busy = false;
    }
  }

  #select(selection: Selection): void {
    const signedIn = this.#signedIn;
    if (signedIn === undefined) return;
    this.#feed?.close();
    this.#selection = selection;
    this.#messages.clear();
    this.#messages.held = false;
    this.#open = undefined;
    this.#omitted = 0;
    this.#shownRates = new Rates();
    this.#connection = { state: 'connecting' };
    const feed = new Feed(selection, signedIn.tokens, {
      onMessage: (message) => {
        this.#messages.add(message);
        this.#omitted += message.omitted;
        this.#shownRates.add(1, Date.now());
      },
      onConnection: (connection) => {
        // What a closed feed still says is not about the one that is shown.
        if (this.#feed === feed) this.#connection = connection;
      },
    });
    this.#feed = feed;
    feed.open();
  }

  #draw(): void {
    this.#messages.refresh();
    render(
      this.#signedIn === undefined ? this.#signInView() : this.#mainView(this.#signedIn),
      this.#root,
    );
  }

  #signInView(): TemplateResult {
    return signIn({
      start: this.#start,
      refusal: this.#refusal,
      busy: this.#busy,
      onSignIn: (session) => void this.#signIn(session),
    });
  }

  #mainView({ session, overview, trouble }: SignedIn): TemplateResult {
    const nowMs = Date.now();
    const selection = this.#selection;
    const topic = overview.topics.find(({ name }) => name === selection?.topic);
    const rateOf = (name: string): number => this.#counters.of(name)?.recent(nowMs) ?? 0;
    return html`<div class="console">
      <nav class="top">
        <strong class="brand">Millrace</strong>
        <span>
          project <strong>${overview.project.id}</strong>
          <small>${overview.project.key.kind.toLowerCase()} key</small>
          <button class="outline secondary small" @click=${() => this.#signOut()}>Sign out</button>
        </span>
      </nav>
      ${trouble === undefined ? nothing : html`<p class="refusal" role="alert">${trouble}</p>`}
      <div class="panes">
        <aside>
          <h2>Topics</h2>
          ${topicList({
            topics: overview.topics,
            chosen: selection?.topic,
            rateOf,
            onChoose: (name) => this.#select(selectionOf(name)),
          })}
        </aside>
        ${
          selection === undefined || topic === undefined
            ? html`<section class="workbench"><p class="empty">Choose a topic.</p></section>`
            : workbench({
                topic,
                selection,
                connection: this.#connection,
                messages: this.#messages,
                omitted: this.#omitted,
                rates: { received: rateOf(topic.name), shown: this.#shownRates.recent(nowMs) },
                open: this.#open,
                snippets: snippets(selection, session.projectId, location.origin),
                onSelect: (changed) => {
                  // A filter that is not filled in yet changes nothing for the server.
                  if (isSame(selection, changed)) this.#selection = changed;
                  else this.#select(changed);
                  // What is typed next must build on this.
                  this.#draw();
                },
                onOpen: (place) => {
                  this.#open = place;
                },
                onHold: (held) => {
                  this.#messages.held = held;
                },
                onClear: () => this.#messages.clear(),
                onRetry: () => this.#select(selection),
                onCopy: (text) => void navigator.clipboard.writeText(text),
                onChartElement: this.#onChartElement,
              })
        }
      </div>
    </div>`;
  }

  /** The same function each time: else every drawing would give up the chart and make it anew. */
  readonly #onChartElement = (element: Element | undefined): void => {
    this.#chart?.close();
    this.#chart = element instanceof HTMLElement ? new RateChart(element) : undefined;
    this.#drawChart();
  };

  #drawChart(): void {
    const selection = this.#selection;
    if (this.#chart === undefined || selection === undefined) return;
    const nowMs = Date.now();
    const [seconds, shown] = this.#shownRates.series(nowMs);
    const [, received = seconds.map(() => 0)] =
      this.#counters.of(selection.topic)?.series(nowMs) ?? [];
    this.#chart.show([seconds, received, shown]);
  }
}

function isSame(one: Selection, other: Selection): boolean {
  return textOf(one) === textOf(other);
}

function textOf(selection: Selection): string {
  return JSON.stringify([selection.topic, selection.kind, argumentsOf(selection)]);
}

function reasonOf(error: unknown): string {
  if (error instanceof Refusal) return error.message;
  return 'The server cannot be reached. Trying again…';
}
