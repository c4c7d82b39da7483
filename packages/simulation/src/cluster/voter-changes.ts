// The nemesis's hand on the voters: adds some, removes some, and replaces the one whose disk is gone. Contract: at most one voter's disk
// is gone at a time, and it is one only while those that are left hold a majority of any set that may come to be in force.

import { findVoter, replicaName, type ReplicaKey, type Voter } from '@tidemark/raft';
import { type SimPrng } from '../sim-prng.ts';
import { type SimHost } from './sim-host.ts';
import { type SimWorld } from './sim-world.ts';

const COMMAND_TIMEOUT_MS = 1_000;
/** A change of the voters is tried so often; most fail because nobody leads or the replica is not there yet. */
const CHANGE_TRIES = 8;
const RETRY_MS = 120;

type Change =
  { readonly type: 'add'; readonly voter: Voter } | { readonly type: 'remove'; readonly replica: ReplicaKey };

export class VoterChanges {
  readonly #world: SimWorld;
  /** The voter whose disk is gone. */
  #lost: ReplicaKey | undefined;
  /** Changes under way. */
  #underWay = 0;
  #isStopped = false;

  constructor(world: SimWorld) {
    this.#world = world;
  }

  /** No more changes but for the voter that is lost. */
  stop(): void {
    this.#isStopped = true;
  }

  isVoter(host: SimHost): boolean {
    return findVoter(this.#world.voters(), host.key) !== undefined;
  }

  /**
   * Whether the host's disk can be lost as far as the quorum goes: nobody else's is, no change is under way, and everybody knows
   * the same set, which has a majority without it.
   */
  maySpare(host: SimHost): boolean {
    if (this.#lost !== undefined || this.#underWay > 0) return false;
    const name = (voters: readonly Voter[]): string => voters.map(replicaName).join();
    const committed = this.#committedVoters();
    const known = name(committed);
    if (!this.#world.hosts.every(({ node }) => node !== undefined && name(node.status.voters) === known)) {
      return false;
    }
    return !this.isVoter(host) || committed.length >= 3;
  }

  /** Takes the host's disk. A voter is replaced. */
  lose(host: SimHost, prng: SimPrng): void {
    if (this.isVoter(host)) this.#lost = host.key;
    host.wipe();
    void this.#replaceLost(prng);
  }

  /** Takes the voter whose disk is gone out of the quorum. To be called until it answers true. */
  async mend(): Promise<boolean> {
    await this.#removeLost();
    return this.#lost === undefined;
  }

  async change(prng: SimPrng, type: 'add' | 'remove'): Promise<void> {
    for (let turn = 0; turn < CHANGE_TRIES && !this.#isStopped && this.#lost === undefined; turn++) {
      const voters = this.#world.voters();
      if (type === 'remove') {
        const gone = voters[prng.below(voters.length)];
        if (gone === undefined || voters.length <= 2) return;
        if (await this.#ask({ type, replica: { nodeId: gone.nodeId, directoryId: gone.directoryId } }))
          return;
      } else {
        const outside = this.#world.hosts.filter((host) => !this.isVoter(host));
        const host = outside[prng.below(Math.max(1, outside.length))];
        if (host === undefined) return;
        if (await this.#ask({ type, voter: { ...host.key, endpoint: host.endpoint } })) return;
      }
      await this.#sleep(RETRY_MS);
    }
  }

  async #replaceLost(prng: SimPrng): Promise<void> {
    for (let turn = 0; turn < CHANGE_TRIES && this.#lost !== undefined && !this.#isStopped; turn++) {
      await this.#sleep(RETRY_MS);
      await this.#removeLost();
    }
    if (this.#lost === undefined && !this.#isStopped) await this.change(prng, 'add');
  }

  async #removeLost(): Promise<void> {
    const lost = this.#lost;
    if (lost === undefined) return;
    await this.#ask({ type: 'remove', replica: lost });
    // Whatever the answer was: it is gone once the cluster says so.
    if (findVoter(this.#committedVoters(), lost) === undefined) this.#lost = undefined;
  }

  #committedVoters(): readonly Voter[] {
    return this.#world.checks.committedVoters ?? this.#world.initialVoters;
  }

  async #ask(change: Change): Promise<boolean> {
    const host = this.#world.leader();
    if (host?.node === undefined || host.isPaused) return false;
    const { trace } = this.#world.clock;
    const whom = replicaName(change.type === 'add' ? change.voter : change.replica);
    trace.note('change voters', change.type, whom);
    this.#underWay++;
    try {
      // A node that goes away does not answer.
      const answer = await Promise.race([
        host.node.changeVoters(change, COMMAND_TIMEOUT_MS),
        this.#sleep(COMMAND_TIMEOUT_MS * 2).then(() => undefined),
      ]);
      trace.note('voters', answer?.ok, answer?.ok === false ? answer.error : '');
      return answer?.ok === true;
    } finally {
      this.#underWay--;
    }
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.#world.clock.after(ms, resolve));
  }
}
