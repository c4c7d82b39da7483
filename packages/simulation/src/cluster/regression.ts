// A run that once failed, kept: its seed, its loads and what is left of its schedule. The test run replays every one of them.

import { type Schedule } from './faults.ts';
import { type Loads } from './loads.ts';
import { type CheckerName } from './violations.ts';

export interface Regression {
  /** What found it. */
  readonly checker: CheckerName;
  /** What was wrong, for people. */
  readonly note: string;
  readonly seed: number;
  readonly schedule: Schedule;
  readonly loads: Loads;
}
