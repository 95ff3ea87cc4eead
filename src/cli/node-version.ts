/** As `engines` in package.json. */
export const oldestNode = 24;

/** What is wrong with a version of Node, such as `v20.20.2`; `null`: nothing. */
export function nodeProblem(version: string): string | null {
  const major = Number.parseInt(version.replace('v', ''), 10);
  return major >= oldestNode
    ? null
    : `millrace needs Node ${oldestNode} or later, and this is ${version}`;
}
