// What the active controller gives itself to do: fence brokers whose session has ended, go on with changes that were too many
// for one command, give leaders back now and then. A pure function of the image, the sessions and the time; reassignments and
// controlled shutdowns need nothing here, because they end in the commands that make them ready to end.
//
// The caller submits the commands like anybody's, and asks again when something has changed or `nextAtMs` has come.

import { brokerConfigWith, type BrokerConfig } from '@tidemark/core';
import type { SessionsView } from './broker-sessions.ts';
import type { ControllerCommand } from './command.ts';
import { imbalancedBrokers } from './handlers/elect-leaders.ts';
import type { MetadataImage } from './metadata-image.ts';
import { hasLeftovers, MAX_SETTLED_PARTITIONS } from './partition-settling.ts';

/** Handed from one call to the next, for as long as this controller is active. */
export interface DutyState {
  /** When leaders are to be looked at; undefined before the first call. */
  readonly balanceAtMs: number | undefined;
}

export const FIRST_DUTIES: DutyState = { balanceAtMs: undefined };

export interface Duties {
  readonly commands: readonly ControllerCommand[];
  /** When to ask again even if nothing happens; not after it. `nowMs`: as soon as the commands are decided. */
  readonly nextAtMs: number;
  readonly state: DutyState;
}

/** How soon leaders are looked at again when one pass was not enough. */
const BALANCE_AGAIN_MS = 1000;

/**
 * `nowMs` is monotonic. `config` is the controller's own. `image` should hold everything decided, committed or not: what an
 * earlier answer asked for and is on its way is otherwise asked for again, harmlessly.
 */
export function duties(
  image: MetadataImage,
  sessions: SessionsView,
  nowMs: number,
  config: BrokerConfig,
  state: DutyState,
): Duties {
  const fencing = fencings(image, sessions, nowMs);
  const settling: readonly ControllerCommand[] = hasLeftovers(image, config)
    ? [{ type: 'settlePartitions' }]
    : [];
  const balance = balancing(image, nowMs, config, state);
  const next =
    settling.length > 0 ? nowMs : Math.min(nextFencingMs(image, sessions, nowMs), balance.nextAtMs);
  return {
    commands: [...fencing, ...settling, ...balance.commands],
    nextAtMs: next,
    state: { balanceAtMs: balance.nextAtMs },
  };
}

/** A broker without a session has never been heard by this controller, nor been registered when it became active. */
function fencings(image: MetadataImage, sessions: SessionsView, nowMs: number): readonly ControllerCommand[] {
  return image
    .brokers()
    .filter(({ id, fenced }) => !fenced && (sessions.deadlineMs(id) ?? -Infinity) <= nowMs)
    .map(({ id, epoch }) => ({ type: 'fenceBroker', brokerId: id, brokerEpoch: epoch }));
}

function nextFencingMs(image: MetadataImage, sessions: SessionsView, nowMs: number): number {
  const deadlines = image
    .brokers()
    .filter(({ fenced }) => !fenced)
    .map(({ id }) => sessions.deadlineMs(id) ?? Infinity);
  return Math.min(...deadlines.filter((deadlineMs) => deadlineMs > nowMs), Infinity);
}

function balancing(
  image: MetadataImage,
  nowMs: number,
  config: BrokerConfig,
  { balanceAtMs }: DutyState,
): { readonly commands: readonly ControllerCommand[]; readonly nextAtMs: number } {
  const now = brokerConfigWith(config, image.brokerConfigs(''), new Map());
  if (!now.get('auto.leader.rebalance.enable')) return { commands: [], nextAtMs: Infinity };
  const intervalMs = now.get('leader.imbalance.check.interval.seconds') * 1000;
  if (balanceAtMs === undefined || balanceAtMs === Infinity) {
    return { commands: [], nextAtMs: nowMs + intervalMs };
  }
  if (nowMs < balanceAtMs) return { commands: [], nextAtMs: balanceAtMs };
  const imbalanced = imbalancedBrokers(image, now);
  if (imbalanced.length === 0) return { commands: [], nextAtMs: nowMs + intervalMs };
  const count = imbalanced.reduce((sum, id) => sum + image.holdings(id).prefersInVain, 0);
  const isOnePass = count <= MAX_SETTLED_PARTITIONS;
  return {
    commands: [{ type: 'balanceLeaders' }],
    nextAtMs: nowMs + (isOnePass ? intervalMs : Math.min(BALANCE_AGAIN_MS, intervalMs)),
  };
}
