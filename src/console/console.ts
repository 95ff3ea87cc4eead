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
/** For how long it is said that something was copied, in milliseconds. */
const copiedMs = 1_500;
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
  /** The list is held for the reader of what is open, and goes on when that is closed. */
  #isHeldForReading = false;
  #copied: string | undefined;
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
    // The chart's colours are those of the moment at which it was made.
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
      this.#onChartElement(this.#chart?.element);
    });
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
      this.#refusal = reasonOf(error, 'The server cannot be reached.');
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
      else signedIn.trouble = reasonOf(error, 'The server cannot be reached. Trying again…');
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
    this.#isHeldForReading = false;
    this.#omitted = 0;
    const shownRates = new Rates();
    this.#shownRates = shownRates;
    this.#connection = { state: 'connecting' };
    const feed = new Feed(selection, signedIn.tokens, {
      onMessage: (message) => {
        this.#messages.add(message);
        this.#omitted += message.omitted;
        shownRates.add(1, Date.now());
      },
      onConnection: (connection) => {
        const isConnected = connection.state === 'live' || connection.state === 'catching-up';
        if (isConnected) shownRates.start(Date.now());
        else shownRates.stop(Date.now());
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
    const rateOf = (name: string): number | undefined => this.#counters.of(name)?.recent(nowMs);
    return html`<div class="console" data-stale=${trouble !== undefined}>
      <nav class="top">
        <strong class="brand">Millrace</strong>
        <span>
          project <strong>${overview.project.id}</strong>
          <small>${overview.project.key.kind.toLowerCase()} key</small>
          <button class="outline secondary small" @click=${() => this.#signOut()}>Sign out</button>
        </span>
      </nav>
      ${trouble === undefined ? nothing : html`<p class="refusal trouble" role="alert">${trouble}</p>`}
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
                onOpen: (place) => this.#openMessage(place),
                onHold: (held) => {
                  this.#messages.held = held;
                  this.#isHeldForReading = false;
                },
                onClear: () => this.#messages.clear(),
                onRetry: () => this.#select(selection),
                // Pages that did not come over a safe line have no clipboard.
                onCopy: 'clipboard' in navigator ? (text) => void this.#copy(text) : undefined,
                copied: this.#copied,
                onChartElement: this.#onChartElement,
              })
        }
      </div>
    </div>`;
  }

  /** What is open would run away from its reader. @param place undefined: none is to be open */
  #openMessage(place: string | undefined): void {
    this.#open = place;
    if (place !== undefined && !this.#messages.held) {
      this.#messages.held = true;
      this.#isHeldForReading = true;
    } else if (place === undefined && this.#isHeldForReading) {
      this.#messages.held = false;
      this.#isHeldForReading = false;
    }
    this.#draw();
  }

  async #copy(text: string): Promise<void> {
    await navigator.clipboard.writeText(text);
    this.#copied = text;
    setTimeout(() => {
      if (this.#copied === text) this.#copied = undefined;
    }, copiedMs);
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
    const [, received = seconds.map(() => null)] =
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

function reasonOf(error: unknown, otherwise: string): string {
  return error instanceof Refusal ? error.message : otherwise;
}
