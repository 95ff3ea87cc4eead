import type { GotEvent, Place, Tape } from './event.ts';
import type { Anomalies, Missing } from './judge.ts';
import type { LogCopy } from './log-copy.ts';

/** Of each kind, the others are counted only. */
const mostOfAKind = 3;
/** Events of the tape that are shown before and behind the one in question. */
const around = 2;

/** For whoever looks for the cause: some of what is wrong, and what the subscriber got around it. */
export function explain(anomalies: Anomalies, tape: Tape, log: LogCopy): string[] {
  const onTape = (what: string, places: readonly number[]): string[] =>
    places
      .slice(0, mostOfAKind)
      .map((at) => `${what}: ${history(tape, log, at)}; around it ${window(tape, at)}`);
  return [
    ...anomalies.lost.slice(0, mostOfAKind).map((missing) => explainLost(missing, tape)),
    ...onTape('repeated', anomalies.repeated),
    ...onTape('out of order', anomalies.outOfOrder),
    ...onTape('foreign', anomalies.foreign),
    ...onTape('unfounded', anomalies.unfounded),
    ...[...new Set(anomalies.alarms)].map((code) => `alarmed: ${code}`),
  ];
}

/** Between which events of its partition it should have come, at each of its places. */
function explainLost({ id, places }: Missing, { got }: Tape): string {
  const gaps = places.slice(0, mostOfAKind).map((place) => {
    const [before, behind] = neighbours(place, got);
    return `${placeText(place)}, between ${eventText(before, got)} and ${eventText(behind, got)}`;
  });
  return `lost: ${id} lies at ${gaps.join(' and at ')}`;
}

function neighbours(
  { partition, offset }: Place,
  got: readonly GotEvent[],
): [before: GotEvent | undefined, behind: GotEvent | undefined] {
  let before: GotEvent | undefined;
  let behind: GotEvent | undefined;
  for (const event of got) {
    if (event.partition !== partition) continue;
    if (event.offset < offset && event.offset > (before?.offset ?? -1)) before = event;
    if (event.offset > offset && event.offset < (behind?.offset ?? Infinity)) behind = event;
  }
  return [before, behind];
}

/** All comings of the event at a place of the tape, and where the log has it. */
function history({ got }: Tape, log: LogCopy, at: number): string {
  const event = got[at];
  const comings = got.filter(({ id }) => id === event?.id);
  const lies = (log.places.get(event?.id ?? '') ?? []).map(placeText).join(', ');
  return `${comings.map((one) => eventText(one, got)).join(', then ')}; it lies at ${lies || 'no place'}`;
}

function window({ got }: Tape, at: number): string {
  const shown = got.slice(Math.max(0, at - around), at + around + 1);
  return shown.map((event) => eventText(event, got)).join(' | ');
}

function eventText(event: GotEvent | undefined, got: readonly GotEvent[]): string {
  if (event === undefined) return 'nothing';
  const { id, late, timestampMs, connection } = event;
  const when = new Date(timestampMs).toISOString().slice(11, -1);
  return `#${got.indexOf(event)} ${id} (${placeText(event)}, ${when}${late ? ', late' : ''}, connection ${connection})`;
}

function placeText({ partition, offset }: Place): string {
  return `${partition}@${offset}`;
}
