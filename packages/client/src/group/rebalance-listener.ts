// The application's callbacks in a rebalance, each awaited before the rebalance goes on, for no longer than a rebalance may take. What
// a callback throws does not stop the rebalance: it is handed to the application by the next poll.
import { TidemarkError } from '@tidemark/core';
import type { Clock } from '@tidemark/core';
import type { TopicPartition } from '../leader-calls.ts';

export interface RebalanceListener {
  /** These are new; nothing of them has been handed out yet, so that `seek` decides where they begin. */
  readonly onAssigned?: (partitions: readonly TopicPartition[]) => void | Promise<void>;
  /** These go to somebody else. What the application did with them can still be committed. */
  readonly onRevoked?: (partitions: readonly TopicPartition[]) => void | Promise<void>;
  /** Somebody else may have these already; a commit would be refused. Absent: `onRevoked` is called, as in Kafka. */
  readonly onLost?: (partitions: readonly TopicPartition[]) => void | Promise<void>;
}

export type RebalanceCallback = 'onAssigned' | 'onRevoked' | 'onLost';

export interface CallbackOptions {
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly onError: (error: unknown) => void;
}

/** Never rejects. */
export async function callBack(
  listener: RebalanceListener,
  name: RebalanceCallback,
  partitions: readonly TopicPartition[],
  { clock, timeoutMs, onError }: CallbackOptions,
): Promise<void> {
  const callback = name === 'onLost' ? (listener.onLost ?? listener.onRevoked) : listener[name];
  if (callback === undefined) return;
  await new Promise<void>((resolve) => {
    const timer = clock.setTimer(timeoutMs, () => {
      const text = `the callback ${name} has not returned in ${timeoutMs} ms; the rebalance goes on without it`;
      onError(new TidemarkError('REQUEST_TIMED_OUT', text));
      resolve();
    });
    const run = async (): Promise<void> => {
      try {
        await callback.call(listener, partitions);
      } catch (error) {
        onError(error);
      } finally {
        timer.cancel();
        resolve();
      }
    };
    void run();
  });
}
