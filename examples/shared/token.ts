/** Asks the app's backend for a token. */
export async function askForToken(): Promise<string> {
  const answer = await fetch('/token', { method: 'POST' });
  if (!answer.ok) throw new Error(`the backend answers ${answer.status}`);
  const { token }: { token: string } = await answer.json();
  return token;
}
