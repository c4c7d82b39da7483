// Looks after an answer on its way to a reader, who may never take it: while he does not, it holds memory for fetched bytes.

import { resetCall } from '@tidemark/rpc';
import type { BrokerContext } from '../broker-context.ts';

/** What nobody takes for so long is given up, but only when others wait for the memory it holds. */
const STALLED_MS = 30_000;

/** `call`: as grpc-js gave it to the handler. Answers how to stop looking. */
export function watchStall({ clock, replicas }: BrokerContext, call: object): () => void {
  let stop = (): void => undefined;
  const arm = (): void => {
    const timer = clock.setTimer(STALLED_MS, () => {
      if (replicas.responseBudget.waiterCount === 0) arm();
      // A status would wait behind what the reader does not take.
      else resetCall(call);
    });
    stop = () => timer.cancel();
  };
  arm();
  return () => stop();
}
