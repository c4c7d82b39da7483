// What members of groups were told, held against the promises of a coordinator. Every commit has an offset that nobody else commits, and
// later ones have higher offsets, so an offset stands for one commit and their order.

import { type Report } from './violations.ts';

interface PartitionOffsets {
  /** The highest that was sent. */
  sent: number;
  /** The highest that is certainly committed (acknowledged, or fetched), by the generation it was told in. */
  readonly certain: Map<number, number>;
}

export class GroupHistory {
  readonly #report: Report;
  readonly #owners = new Map<string, string>();
  readonly #newest = new Map<string, number>();
  readonly #offsets = new Map<string, PartitionOffsets>();
  commits = 0;
  generations = 0;

  constructor(report: Report) {
    this.#report = report;
  }

  /** The newest generation of which anybody was told an assignment. */
  newestTold(group: string): number {
    return this.#newest.get(group) ?? -1;
  }

  /** A sync was answered with these partitions. `member` is an instance's name where it has one, which keeps what it has. */
  assigned(group: string, generation: number, member: string, partitions: readonly number[]): void {
    for (const partition of partitions) {
      const key = `${group} ${generation} ${partition}`;
      const owner = this.#owners.get(key) ?? member;
      this.#owners.set(key, owner);
      if (owner === member) continue;
      this.#report(
        'two-owners',
        `group ${group}, generation ${generation}: partition ${partition} is ${owner}'s and ${member}'s`,
      );
    }
    if (generation <= this.newestTold(group)) return;
    this.#newest.set(group, generation);
    this.generations++;
  }

  /** The offset of a commit that is about to be sent. */
  sending(group: string, partition: number): number {
    return ++this.#of(group, partition).sent;
  }

  /** `toldBefore`: what `newestTold` was when it was sent. */
  acknowledged(
    group: string,
    partition: number,
    offset: number,
    generation: number,
    toldBefore: number,
  ): void {
    this.commits++;
    if (generation < toldBefore) {
      this.#report(
        'stale-generation',
        `group ${group}: ${offset} of partition ${partition} was taken in generation ${generation}, and ${toldBefore} was told before it was sent`,
      );
    }
    this.#isCertain(group, partition, offset, generation);
  }

  /** What a fetch of a member of the generation may not be below: what it was told in another generation later is not its business. */
  floor(group: string, partition: number, generation: number): number {
    let floor = -1;
    for (const [told, offset] of this.#of(group, partition).certain) {
      if (told <= generation) floor = Math.max(floor, offset);
    }
    return floor;
  }

  /** `floorBefore`: what `floor` was when it was sent; -1 is no offset. */
  fetched(group: string, partition: number, offset: number, generation: number, floorBefore: number): void {
    const { sent } = this.#of(group, partition);
    if (offset < floorBefore || offset > sent) {
      this.#report(
        'group-offset-lost',
        `group ${group}, partition ${partition}: ${offset} was fetched, and ${floorBefore} to ${sent} can be there`,
      );
    }
    this.#isCertain(group, partition, offset, generation);
  }

  #isCertain(group: string, partition: number, offset: number, generation: number): void {
    const { certain } = this.#of(group, partition);
    certain.set(generation, Math.max(certain.get(generation) ?? -1, offset));
  }

  #of(group: string, partition: number): PartitionOffsets {
    const key = `${group} ${partition}`;
    let found = this.#offsets.get(key);
    if (found === undefined) {
      found = { sent: -1, certain: new Map() };
      this.#offsets.set(key, found);
    }
    return found;
  }
}
