import { html, nothing, type TemplateResult } from 'lit-html';
import type { Session } from '../session.ts';

export interface SignInModel {
  /** What stands in the fields at first. */
  readonly start: Session;
  /** Why the last attempt failed. */
  readonly refusal: string | undefined;
  readonly busy: boolean;
  readonly onSignIn: (session: Session) => void;
}

export function signIn({ start, refusal, busy, onSignIn }: SignInModel): TemplateResult {
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    if (!(event.target instanceof HTMLFormElement)) return;
    const fields = new FormData(event.target);
    const text = (name: string): string => {
      const value = fields.get(name);
      return typeof value === 'string' ? value.trim() : '';
    };
    onSignIn({ projectId: text('projectId'), key: text('key') });
  };
  return html`<main class="sign-in">
    <article>
      <header>
        <strong class="brand">Millrace</strong>
        <p>Look into your Kafka topics as they flow.</p>
      </header>
      <form @submit=${submit}>
        <label>
          Project id
          <input name="projectId" autocomplete="username" required .defaultValue=${start.projectId} />
        </label>
        <label>
          Key
          <input
            name="key"
            type="password"
            autocomplete="current-password"
            required
            .defaultValue=${start.key}
          />
          <small>A master or read key. It stays in this page and is gone when you close it.</small>
        </label>
        ${refusal === undefined ? nothing : html`<p class="refusal" role="alert">${refusal}</p>`}
        <button type="submit" aria-busy=${busy} ?disabled=${busy}>Sign in</button>
      </form>
    </article>
  </main>`;
}
