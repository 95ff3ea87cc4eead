/** Who subscribes to a stream. */
export interface StreamSubscriber {
  readonly projectId: string;
  /** The name that it knows the topic by. */
  readonly topic: string;
}

/** Two have the same only if they are the same. */
export function keyOf({ projectId, topic }: StreamSubscriber): string {
  return JSON.stringify([projectId, topic]);
}
