// Looks now and then whether a node that was ready still is: registered (the controller hears it) and caught up (with the metadata).
// What it finds goes to `Readiness`, from which `/readyz` and grpc.health.v1 speak. Contract: an election, or a controller that is
// away for less than a session, changes nothing; else every election would take all nodes out of service at once.

import type { BrokerConfig, Clock, Timer } from '@tidemark/core';
import type { BrokerLifecycle, MetadataNode } from '@tidemark/runtime';
import type { Readiness } from './readiness.ts';

export interface ServingWatchOptions {
  readonly clock: Clock;
  readonly config: BrokerConfig;
  readonly readiness: Readiness;
  readonly metadata: Pick<MetadataNode, 'quorum' | 'appliedOffset'>;
  /** Undefined on a node that is no broker. */
  readonly lifecycle: Pick<BrokerLifecycle, 'isIsolated'> | undefined;
}

const LOOK_EVERY_MS = 500;
/** Committed metadata that a serving node may lack for longer than a session; more means that it does not keep up. */
const FAR_BEHIND_RECORDS = 1_000;

export class ServingWatch {
  readonly #options: ServingWatchOptions;
  #timer: Timer | undefined;
  #leaderSeenMs: number;

  constructor(options: ServingWatchOptions) {
    this.#options = options;
    this.#leaderSeenMs = options.clock.monotonicMs();
    this.#schedule();
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #schedule(): void {
    this.#timer = this.#options.clock.setTimer(LOOK_EVERY_MS, () => {
      this.#look();
      this.#schedule();
    });
  }

  #look(): void {
    const { clock, config, readiness, metadata, lifecycle } = this.#options;
    const sessionMs = config.get('broker.session.timeout.ms');
    const judge = (name: string, reason: string | undefined): void => {
      if (reason === undefined) readiness.clear(name);
      else readiness.block(name, reason);
    };
    judge(
      'registered',
      lifecycle?.isIsolated === true
        ? `the controller has not answered this broker for ${sessionMs} ms: others may lead what it led`
        : undefined,
    );
    const nowMs = clock.monotonicMs();
    const { leader, commitOffset } = metadata.quorum;
    if (leader !== undefined) this.#leaderSeenMs = nowMs;
    const behind = commitOffset - metadata.appliedOffset;
    judge(
      'caught-up',
      nowMs - this.#leaderSeenMs >= sessionMs
        ? `no leader of the quorum is known for ${sessionMs} ms: what this node knows of the cluster may be old`
        : behind > FAR_BEHIND_RECORDS
          ? `${behind} committed metadata records are not applied here yet`
          : undefined,
    );
  }
}
