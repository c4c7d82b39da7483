// What a history checker is told, as a line of JSON: a run writes them down while it goes, and they can be judged again later.
import type { HistoryChecker } from './history-checker.ts';

const names = [
  'invoke',
  'ok',
  'fail',
  'info',
  'poll',
  'finalRead',
  'replica',
  'faultBegan',
  'faultHealed',
  'noProgressDuringFault',
  'noProgressAfterHeal',
  'noFullIsr',
] as const satisfies readonly (keyof HistoryChecker)[];

type EventName = (typeof names)[number];

/** The name of a method of the checker, and what it is given. */
export type HistoryEvent = { [N in EventName]: readonly [N, ...Parameters<HistoryChecker[N]>] }[EventName];

/** `atMs`: since the run began. */
export function historyLine(atMs: number, event: HistoryEvent): string {
  return JSON.stringify([Math.round(atMs), ...event]);
}

export function parseHistoryLine(line: string): HistoryEvent {
  const told: unknown = JSON.parse(line);
  if (!Array.isArray(told) || !names.includes(told[1] as EventName)) {
    throw new Error(`no line of a history: ${line.slice(0, 200)}`);
  }
  return told.slice(1) as unknown as HistoryEvent;
}

export function tell(checker: HistoryChecker, event: HistoryEvent): void {
  const [name, ...given] = event;
  (checker[name] as (...given: readonly unknown[]) => void).apply(checker, given);
}
