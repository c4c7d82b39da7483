// What a nemesis can do to a cluster, as data: a schedule is a list of these, drawn from a seed, cut when a failure is shrunk, and
// kept as JSON when it found something. `pick` chooses what is not said, at the time it happens: a node, its victims, a direction.

import { type DiskErrorCode } from '@tidemark/core';
import { crashModes } from '../crash-survivors.ts';
import { type DiskOperation } from '../disk-step.ts';
import { type NetworkFaults } from '../sim-network.ts';
import { type SimPrng } from '../sim-prng.ts';
import { type EndMode } from './sim-host.ts';

export type PartitionShape = 'halves' | 'isolate-leader' | 'isolate-one' | 'bridge' | 'one-way' | 'ring';
export type Victims = 'one' | 'leader' | 'minority' | 'majority' | 'all';

/** Milliseconds from the start of the faults, and how long until it is undone. */
interface Timed {
  readonly atMs: number;
  readonly forMs: number;
  /** Below 2^32. */
  readonly pick: number;
}

export type Fault = Timed &
  (
    | { readonly type: 'partition'; readonly shape: PartitionShape }
    | {
        readonly type: 'network';
        readonly dropOneIn: number;
        readonly duplicateOneIn: number;
        readonly reorderOneIn: number;
      }
    | { readonly type: 'slow-link'; readonly delayFactor: number; readonly bytesPerMs: number }
    | { readonly type: 'crash'; readonly victims: Victims; readonly mode: EndMode }
    /** Told to stop, it hands over and leaves its folder cleanly; then the power may go. */
    | { readonly type: 'stop'; readonly mode: EndMode }
    | {
        /** A power failure right after the node has sent its nth message of the kind: what it promised must be on its disk. */
        readonly type: 'crash-after-send';
        readonly message: 'vote' | 'voteResponse' | 'append' | 'appendResponse' | 'snapshotResponse';
        readonly skip: number;
        readonly delayMs: number;
        readonly victims: 'sender' | 'all';
        /** The leader goes first, so that there is an election. */
        readonly election: boolean;
      }
    | { readonly type: 'pause'; readonly victims: Victims }
    | { readonly type: 'clock'; readonly rate: number; readonly wallJumpMs: number }
    | {
        readonly type: 'disk-fault';
        readonly operation: DiskOperation | undefined;
        readonly error: DiskErrorCode;
        readonly skip: number;
        readonly inStore: boolean;
      }
    | {
        /** A sync of records fails, and what it was for is gone from the disk; `forMs` later processes go the way of `mode`. */
        readonly type: 'failed-sync';
        readonly skip: number;
        readonly mode: EndMode;
        readonly victims: 'itself' | 'all';
      }
    | {
        /** A node ends and comes back where it does not reach, for a while, those that lead its partitions: only the controller. */
        readonly type: 'lonely-return';
        /** What it comes back with: everything, what was synced, or nothing. */
        readonly how: 'kill' | 'nothing' | 'wipe';
        readonly cutMs: number;
      }
    | { readonly type: 'disk-full'; readonly bytes: number }
    | { readonly type: 'short-writes'; readonly oneIn: number }
    | { readonly type: 'slow-disk'; readonly factor: number }
    | { readonly type: 'transfer' }
    | { readonly type: 'elect-leaders' }
    | { readonly type: 'reassign' }
    | { readonly type: 'add-voter' }
    | { readonly type: 'remove-voter' }
    | {
        /** Two at the leader at the same moment: only one may be begun before the other is committed. */
        readonly type: 'two-voter-changes';
        readonly first: 'add' | 'remove';
      }
    | {
        /** A node is away until only a snapshot brings it up to date, and snapshots of that time arrive once more later. */
        readonly type: 'late-snapshot';
        readonly awayMs: number;
      }
    | { readonly type: 'wipe' }
  );

export interface Schedule {
  /** What the network is like all the time; undefined: sound. */
  readonly network?: NetworkFaults | undefined;
  readonly faults: readonly Fault[];
  /** How long the faults go on, in ms. */
  readonly durationMs: number;
}

type Untimed = Fault extends infer F ? (F extends Fault ? Omit<F, keyof Timed> : never) : never;

const SHAPES: readonly PartitionShape[] = [
  'halves',
  'isolate-leader',
  'isolate-one',
  'bridge',
  'one-way',
  'ring',
];
const OPERATIONS: readonly (DiskOperation | undefined)[] = [
  'write',
  'sync',
  'truncate',
  'syncDirectory',
  'rename',
  undefined,
];

const anyOf = <T>(prng: SimPrng, items: readonly T[]): T => items[prng.below(items.length)]!;

function drawCrashAfterSend(prng: SimPrng): Untimed {
  const message = anyOf(prng, [
    'vote',
    'voteResponse',
    'voteResponse',
    'append',
    'appendResponse',
    'snapshotResponse',
  ] as const);
  return {
    type: 'crash-after-send',
    message,
    skip: prng.below(8),
    delayMs: anyOf(prng, [0, 0, 0.3, 2]),
    victims: anyOf(prng, ['sender', 'all']),
    election: message === 'vote' || message === 'voteResponse' || prng.below(4) === 0,
  };
}

/** One in so many; the sum does not matter. */
const kinds: readonly (readonly [weight: number, draw: (prng: SimPrng) => Untimed])[] = [
  [18, (prng) => ({ type: 'partition', shape: anyOf(prng, SHAPES) })],
  [
    14,
    (prng) => ({
      type: 'network',
      dropOneIn: anyOf(prng, [0, 4, 10, 50]),
      duplicateOneIn: anyOf(prng, [0, 3, 10, 50]),
      reorderOneIn: anyOf(prng, [0, 3, 10, 50]),
    }),
  ],
  [
    6,
    (prng) => ({
      type: 'slow-link',
      delayFactor: anyOf(prng, [5, 20, 100]),
      bytesPerMs: anyOf(prng, [Number.MAX_SAFE_INTEGER, 200, 40]),
    }),
  ],
  [
    20,
    (prng) => ({
      type: 'crash',
      victims: anyOf(prng, ['one', 'one', 'leader', 'leader', 'minority', 'majority', 'all']),
      mode: anyOf(prng, ['kill', ...crashModes]),
    }),
  ],
  [28, drawCrashAfterSend],
  [10, (prng) => ({ type: 'stop', mode: anyOf(prng, ['kill', ...crashModes]) })],
  [8, (prng) => ({ type: 'pause', victims: anyOf(prng, ['one', 'leader', 'leader', 'minority']) })],
  [
    6,
    (prng) => ({
      type: 'clock',
      rate: 0.9 + prng.below(201) / 1_000,
      wallJumpMs: anyOf(prng, [0, 60_000, -60_000, 86_400_000, -86_400_000]),
    }),
  ],
  [
    8,
    (prng) => ({
      type: 'disk-fault',
      operation: anyOf(prng, OPERATIONS),
      error: anyOf(prng, ['EIO', 'EIO', 'ENOSPC']),
      skip: prng.below(6),
      inStore: prng.below(3) === 0,
    }),
  ],
  [
    8,
    (prng) => ({
      type: 'failed-sync',
      skip: prng.below(4),
      mode: anyOf(prng, ['kill', 'nothing', 'all', 'reordered']),
      victims: anyOf(prng, ['itself', 'all', 'all']),
    }),
  ],
  [
    8,
    (prng) => ({
      type: 'lonely-return',
      how: anyOf(prng, ['kill', 'nothing', 'wipe', 'wipe']),
      cutMs: 200 + prng.below(800),
    }),
  ],
  [3, (prng) => ({ type: 'disk-full', bytes: prng.below(4) * 4096 })],
  [4, () => ({ type: 'short-writes', oneIn: 3 })],
  [4, (prng) => ({ type: 'slow-disk', factor: anyOf(prng, [5, 30]) })],
  [8, () => ({ type: 'transfer' })],
  [5, () => ({ type: 'elect-leaders' })],
  [6, () => ({ type: 'reassign' })],
  [8, () => ({ type: 'add-voter' })],
  [6, () => ({ type: 'remove-voter' })],
  [5, () => ({ type: 'wipe' })],
  [6, (prng) => ({ type: 'two-voter-changes', first: anyOf(prng, ['add', 'remove']) })],
  [6, (prng) => ({ type: 'late-snapshot', awayMs: 400 + prng.below(1_600) })],
];

/** A schedule of `count` faults over `durationMs`. */
export function drawSchedule(prng: SimPrng, count: number, durationMs: number): Schedule {
  const weights = kinds.reduce((sum, [weight]) => sum + weight, 0);
  const faults = Array.from({ length: count }, (): Fault => {
    let left = prng.below(weights);
    const [, draw] = kinds.find(([weight]) => (left -= weight) < 0)!;
    return {
      atMs: prng.below(durationMs),
      forMs: 20 + prng.below(anyOf(prng, [100, 400, 1_500])),
      pick: prng.uint32(),
      ...draw(prng),
    };
  });
  faults.sort((a, b) => a.atMs - b.atMs);
  if (prng.below(2) === 0) return { faults, durationMs };
  const network = {
    dropOneIn: anyOf(prng, [0, 0, 30, 200]),
    duplicateOneIn: anyOf(prng, [0, 1, 5, 50]),
    reorderOneIn: anyOf(prng, [0, 2, 10, 100]),
  };
  return { network, faults, durationMs };
}
