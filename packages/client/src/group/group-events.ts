// What happens to a consumer as a member of its group, for logs and screens. Nothing depends on anybody listening.
import type { TidemarkError } from '@tidemark/core';
import type { TopicPartition } from '../leader-calls.ts';
import type { Coordinator } from './coordinator-calls.ts';

export type GroupEvent =
  | ({ readonly type: 'coordinator-found' } & Coordinator)
  /** It joins, or joins again: why. */
  | { readonly type: 'joining'; readonly reason: string }
  | {
      readonly type: 'joined';
      readonly generation: number;
      readonly memberId: string;
      readonly protocol: string;
      /** This member computes the assignment. */
      readonly isLeader: boolean;
    }
  /** `assigned` is what it has from now on; `added` what is new of that. */
  | {
      readonly type: 'assigned';
      readonly generation: number;
      readonly assigned: readonly TopicPartition[];
      readonly added: readonly TopicPartition[];
    }
  | { readonly type: 'revoked'; readonly partitions: readonly TopicPartition[] }
  /** Others may have them already. */
  | { readonly type: 'lost'; readonly partitions: readonly TopicPartition[]; readonly reason: string }
  | { readonly type: 'left'; readonly reason: string }
  | {
      readonly type: 'committed';
      readonly offsets: readonly (TopicPartition & { readonly offset: number })[];
    }
  /** An error that passes: it is tried again. */
  | { readonly type: 'retrying'; readonly error: TidemarkError }
  /** The membership is over; the error is thrown at the application. */
  | { readonly type: 'failed'; readonly error: TidemarkError };

export type GroupEventListener = (event: GroupEvent) => void;
