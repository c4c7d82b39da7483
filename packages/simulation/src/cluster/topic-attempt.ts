// One attempt to create a topic of a run; whether it took place is seen in the image.

import type { SimClock } from '../sim-clock.ts';
import type { SimulatedNode } from './simulated-node.ts';

/** Every partition of a run's topics has so many. */
export const REPLICAS = 3;
const CREATE_TIMEOUT_MS = 1_000;

/** Calls `next` once: when it is answered, however, or in time. */
export function attemptTopic(
  clock: SimClock,
  node: SimulatedNode,
  name: string,
  partitions: number,
  next: () => void,
): void {
  let isAnswered = false;
  const answered = (): void => {
    if (!isAnswered) next();
    isAnswered = true;
  };
  clock.after(CREATE_TIMEOUT_MS, answered);
  void node.createRecordTopic(name, partitions, REPLICAS, CREATE_TIMEOUT_MS).then(answered, answered);
}
