// The groups' part of a run: `__consumer_offsets`, replicated three times, and groups whose members share the partitions of a topic. In
// the end every group has to settle: one generation, every partition somebody's, and no offset behind what was acknowledged.

import { OFFSETS_TOPIC } from '@tidemark/core';
import { type SimPrng } from '../sim-prng.ts';
import { GroupClient } from './group-client.ts';
import { type GroupHistory } from './group-history.ts';
import { type ClientLink } from './record-client.ts';
import { RECORD_TOPIC } from './replica-checks.ts';
import { type SimWorld } from './sim-world.ts';
import { attemptTopic } from './topic-attempt.ts';

export interface GroupLoadOptions {
  readonly groups: number;
  readonly membersPerGroup: number;
  readonly partitions: number;
  readonly pauseMs: number;
  readonly link: ClientLink;
}

const COORDINATORS = 2;

export class GroupLoad {
  readonly #world: SimWorld;
  readonly #options: GroupLoadOptions;
  readonly #prng: SimPrng;
  readonly #clients = new Map<string, readonly GroupClient[]>();
  #isStopped = false;

  constructor(world: SimWorld, history: GroupHistory, options: GroupLoadOptions, prng: SimPrng) {
    this.#world = world;
    this.#options = options;
    this.#prng = prng;
    const { groups, membersPerGroup, ...each } = options;
    for (let number = 1; number <= groups; number++) {
      const group = `group-${number}`;
      const clients = Array.from({ length: membersPerGroup }, (_, member) => {
        const instance = prng.chance(3) ? `instance-${member}` : undefined;
        const place = { ...each, group, instance, topic: RECORD_TOPIC, coordinators: COORDINATORS };
        return new GroupClient(world, history, place, prng.fork(`${group} ${member}`));
      });
      this.#clients.set(group, clients);
    }
  }

  start(): void {
    this.#create();
  }

  /** Everything heals: so do the clients' ways. */
  calm(): void {
    this.#isStopped = true;
    this.#each((client) => client.calm());
  }

  stop(): void {
    this.#each((client) => client.stop());
  }

  /** What keeps a group from having settled. */
  get missing(): string | undefined {
    if (!this.#isCreated) return undefined;
    for (const [group, clients] of this.#clients) {
      const standings = clients.map(({ standing }) => standing);
      const generations = new Set(standings.map((standing) => standing?.generation));
      if (generations.size > 1 || generations.has(undefined)) {
        return `one generation of ${group}: ${standings.map((each) => each?.generation ?? '-').join()}`;
      }
      const owned = standings.flatMap((standing) => standing?.partitions ?? []);
      if (new Set(owned).size !== this.#options.partitions || owned.length !== this.#options.partitions) {
        return `an owner of each partition of ${group}: ${owned.join()}`;
      }
    }
    return undefined;
  }

  /** Both are: a coordinator removes offsets of a topic that its metadata has not got. */
  get #isCreated(): boolean {
    return [OFFSETS_TOPIC, RECORD_TOPIC].every((topic) => this.#isThere(topic));
  }

  #isThere(topic: string): boolean {
    return this.#world.hosts.some(({ node }) => (node?.partitionsOf(topic).length ?? 0) > 0);
  }

  #each(visit: (client: GroupClient) => void): void {
    for (const clients of this.#clients.values()) clients.forEach(visit);
  }

  /** Asks until it is there; then everybody begins. */
  #create(): void {
    if (this.#isCreated) {
      this.#each((client) => client.start());
      return;
    }
    const { clock, hosts } = this.#world;
    if (this.#isStopped) return;
    const { node } = hosts[this.#prng.below(hosts.length)]!;
    const again = (): void => void clock.after(50, () => this.#create());
    if (node?.holdsRecords !== true || this.#isThere(OFFSETS_TOPIC)) {
      again();
      return;
    }
    attemptTopic(clock, node, OFFSETS_TOPIC, COORDINATORS, again);
  }
}
