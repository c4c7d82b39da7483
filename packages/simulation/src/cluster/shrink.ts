// Cuts the schedule of a run that failed: fewer faults, then shorter ones, as long as the same checker still finds something.
// Contract: the result fails as the original did; how small it is depends on how many runs are allowed.

import { type Fault, type Schedule } from './faults.ts';
import { type CheckerName } from './violations.ts';

/** Answers what a run with the schedule finds; undefined: nothing. */
export type Trial = (schedule: Schedule) => Promise<CheckerName | undefined>;

export interface Shrunk {
  readonly schedule: Schedule;
  readonly runs: number;
}

export async function shrink(
  schedule: Schedule,
  checker: CheckerName,
  trial: Trial,
  maxRuns = 60,
): Promise<Shrunk> {
  let best = schedule;
  let runs = 0;
  const attempt = async (candidate: Schedule): Promise<boolean> => {
    if (runs >= maxRuns) return false;
    runs++;
    if ((await trial(candidate)) !== checker) return false;
    best = candidate;
    return true;
  };
  // Halves first, then quarters, down to single faults.
  for (
    let size = Math.ceil(best.faults.length / 2);
    size >= 1 && runs < maxRuns;
    size = Math.floor(size / 2)
  ) {
    for (let at = best.faults.length - size; at >= 0 && runs < maxRuns; at -= size) {
      await attempt(without(best, at, size));
    }
  }
  if (best.network !== undefined) await attempt({ ...best, network: undefined });
  const end = Math.max(0, ...best.faults.map(({ atMs, forMs }) => atMs + forMs));
  if (end + 200 < best.durationMs) await attempt({ ...best, durationMs: end + 200 });
  for (let at = 0; at < best.faults.length && runs < maxRuns; at++) await attempt(shortened(best, at));
  return { schedule: best, runs };
}

function without(schedule: Schedule, at: number, size: number): Schedule {
  return { ...schedule, faults: schedule.faults.filter((_, index) => index < at || index >= at + size) };
}

function shortened(schedule: Schedule, at: number): Schedule {
  const faults = schedule.faults.map((fault, index): Fault =>
    index === at ? { ...fault, forMs: Math.ceil(fault.forMs / 4) } : fault,
  );
  return { ...schedule, faults };
}
