// The active controller knocks at brokers it does not hear: where the process is gone the network says that nobody listens, and the
// broker is fenced long before its session ends. Raft alone does not reach all of them: a replica that does not vote is sent to once it
// has asked this very leader. Contract: a knock is one byte that says nothing and is not answered; who is heard is not knocked at.

import type { BrokerId, Clock, NodeId, Timer } from '@tidemark/core';
import type { PeerChannel } from './peer-router.ts';

export interface KnockOptions {
  readonly clock: Clock;
  readonly channel: PeerChannel;
  /** From one knock to the next; `Infinity`: never. */
  readonly intervalMs: number;
  /** Whose session lasts although the controller does not hear them. */
  readonly silent: (nowMs: number) => readonly BrokerId[];
}

export class Knocks {
  readonly #options: KnockOptions;
  #timer: Timer | undefined;

  constructor(options: KnockOptions) {
    this.#options = options;
    options.channel.onMessage(() => undefined);
  }

  /** The controller of this node is active. */
  begin(): void {
    this.end();
    if (this.#options.intervalMs !== Infinity) this.#arm();
  }

  end(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #arm(): void {
    const { clock, channel, intervalMs, silent } = this.#options;
    this.#timer = clock.setTimer(intervalMs, () => {
      for (const id of silent(clock.monotonicMs())) {
        const node = id as number as NodeId;
        if (node !== channel.self) channel.sendPrefixed(node, new Uint8Array(1));
      }
      this.#arm();
    });
  }
}
