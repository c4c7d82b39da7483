// History checker: is fed what clients did while they do it, in the end what every partition and every replica holds, and names what
// must not be. Values are unique and grow with each send of a producer to a partition. Some 40 bytes a record, and eight for each
// consumer that reads it. Knows no time; offsets are dense: topics without compaction and transactions.
import { Anomalies, type HistoryReport, type Loss } from './anomaly.ts';
import { NumberList } from './number-list.ts';

const INVOKED = 0;
const OK = 1;
const FAILED = 2;
const UNKNOWN = 3;

export interface HistoryRules {
  /** With acks=1 a loss is counted and does not fail the run; everything else does. Default: all. */
  readonly acks?: 'all' | 1;
  /** Fewer acknowledged records prove nothing. Default 1. */
  readonly minAcknowledged?: number;
}

/** What acks=1 permits when a leader is lost. That nobody reads what is lost goes without saying. */
const PERMITTED: ReadonlySet<string> = new Set(['lost-write']);

/** The sends of one producer to one partition, by index in the order they were begun. */
class Sends {
  readonly values = new NumberList();
  readonly states = new NumberList();
  readonly offsets = new NumberList();
  readonly found = new NumberList();
  readonly polled = new NumberList();
  /** How many faults were over when it was acknowledged. */
  readonly healed = new NumberList();
}

class PartitionHistory {
  readonly sends = new Map<number, Sends>();
  readonly final = new NumberList();
  readonly polls = new Map<string, NumberList>();
  readonly positions = new Map<string, number>();
  readonly highWatermarks = new Map<string, number>();
  readonly digests = new Map<number, string>();

  find(value: number): { sends: Sends; index: number; producer: number } | undefined {
    for (const [producer, sends] of this.sends) {
      const index = sends.values.indexOf(value);
      if (index >= 0) return { sends, index, producer };
    }
    return undefined;
  }
}

export class HistoryChecker {
  readonly #rules: Required<HistoryRules>;
  readonly #partitions = new Map<string, PartitionHistory>();
  readonly #anomalies = new Anomalies();
  readonly #faults: string[] = [];
  #healed = 0;

  constructor(rules: HistoryRules = {}) {
    this.#rules = { acks: 'all', minAcknowledged: 1, ...rules };
  }

  invoke(producer: number, tp: string, value: number): void {
    const partition = this.#partition(tp);
    let sends = partition.sends.get(producer);
    if (sends === undefined) partition.sends.set(producer, (sends = new Sends()));
    if (sends.values.length > 0 && sends.values.at(sends.values.length - 1) >= value) {
      throw new Error(`values of producer ${producer} to ${tp} must grow: ${value}`);
    }
    sends.values.push(value);
    sends.states.push(INVOKED);
  }

  ok(producer: number, tp: string, value: number, offset: number): void {
    const { sends, index } = this.#settle(producer, tp, value, OK);
    sends.offsets.set(index, offset);
    sends.healed.set(index, this.#healed);
  }

  /** Certainly not written. */
  fail(producer: number, tp: string, value: number): void {
    this.#settle(producer, tp, value, FAILED);
  }

  /** May be written or not. */
  info(producer: number, tp: string, value: number): void {
    this.#settle(producer, tp, value, UNKNOWN);
  }

  /** A record as an assigned consumer that began at offset 0 got it. Without a high watermark that is not looked at. */
  poll(consumer: string, tp: string, offset: number, value: number, highWatermark?: number): void {
    const partition = this.#partition(tp);
    const expected = partition.positions.get(consumer) ?? 0;
    const where = `${consumer} at ${tp}@${offset}`;
    if (offset < expected) this.#anomalies.add('nonmonotonic-poll', `${where}, expected ${expected}`);
    if (offset > expected) this.#anomalies.add('poll-skip', `${where}, expected ${expected}`);
    partition.positions.set(consumer, offset + 1);
    if (highWatermark !== undefined) this.#watermark(partition, consumer, where, highWatermark);
    let polls = partition.polls.get(consumer);
    if (polls === undefined) partition.polls.set(consumer, (polls = new NumberList()));
    const before = polls.at(offset);
    if (!Number.isNaN(before) && before !== value) {
      this.#anomalies.add('inconsistent-offsets', `${where} was ${before} and then ${value}`);
    }
    polls.set(offset, value);
    const known = partition.find(value);
    if (known === undefined) this.#anomalies.add('phantom', `${where} got ${value}, which nobody sent`);
    else known.sends.polled.set(known.index, 1);
  }

  /** What the partition holds in the end, from 0 on, in order. */
  finalRead(tp: string, offset: number, value: number): void {
    const partition = this.#partition(tp);
    const expected = partition.final.length;
    if (offset !== expected) this.#anomalies.add('offset-gap', `${tp}@${offset}, expected ${expected}`);
    partition.final.set(offset, value);
  }

  /** A digest of what this replica holds below the smallest high watermark. */
  replica(tp: string, node: number, digest: string): void {
    this.#partition(tp).digests.set(node, digest);
  }

  /** One at a time: losses are told by the fault they belong to. */
  faultBegan(name: string): void {
    this.#faults.push(name);
  }

  faultHealed(): void {
    this.#healed = this.#faults.length;
  }

  noProgressDuringFault(what: string): void {
    this.#anomalies.add('no-progress-during-fault', what);
  }

  noProgressAfterHeal(what: string): void {
    this.#anomalies.add('no-progress-after-heal', what);
  }

  noFullIsr(what: string): void {
    this.#anomalies.add('no-full-isr', what);
  }

  report(): HistoryReport {
    let acknowledged = 0;
    let failed = 0;
    let unknown = 0;
    const losses = new Map<string, Loss>();
    for (const [tp, partition] of this.#partitions) {
      this.#judgeFinal(tp, partition);
      this.#judgePolls(tp, partition);
      for (const sends of partition.sends.values()) {
        for (let index = 0; index < sends.values.length; index++) {
          const state = sends.states.at(index);
          if (state === FAILED) failed++;
          else if (state !== OK) unknown++;
          else {
            acknowledged++;
            if (this.#judgeAcknowledged(tp, partition, sends, index)) this.#lost(losses, tp, sends, index);
          }
        }
      }
      if (new Set(partition.digests.values()).size > 1) {
        const told = [...partition.digests].map(([node, digest]) => `${node}: ${digest}`).join(', ');
        this.#anomalies.add('replica-mismatch', `${tp}: ${told}`);
      }
    }
    if (acknowledged < this.#rules.minAcknowledged) {
      this.#anomalies.add('too-little-traffic', `${acknowledged} acknowledged`);
    }
    const { counts, examples } = this.#anomalies;
    const tolerated = (name: string): boolean => this.#rules.acks === 1 && PERMITTED.has(name);
    const passed = [...counts.keys()].every(tolerated);
    return { passed, acknowledged, failed, unknown, losses: [...losses.values()], counts, examples };
  }

  #watermark(partition: PartitionHistory, consumer: string, where: string, highWatermark: number): void {
    const before = partition.highWatermarks.get(consumer) ?? 0;
    if (highWatermark < before) {
      this.#anomalies.add('hw-regressed', `${where}: ${highWatermark} after ${before}`);
    }
    partition.highWatermarks.set(consumer, highWatermark);
  }

  #judgeFinal(tp: string, partition: PartitionHistory): void {
    const last = new Map<number, number>();
    for (let offset = 0; offset < partition.final.length; offset++) {
      const value = partition.final.at(offset);
      if (Number.isNaN(value)) continue;
      const known = partition.find(value);
      const where = `${tp}@${offset} holds ${value}`;
      if (known === undefined) {
        this.#anomalies.add('phantom', `${where}, which nobody sent`);
        continue;
      }
      const { sends, index, producer } = known;
      const before = sends.found.at(index);
      if (!Number.isNaN(before)) {
        this.#anomalies.add('duplicate', `${where} as offset ${before} does`);
        continue;
      }
      sends.found.set(index, offset);
      if (sends.states.at(index) === FAILED) this.#anomalies.add('failed-write-read', where);
      if (index < (last.get(producer) ?? -1)) this.#anomalies.add('reordered', where);
      last.set(producer, Math.max(index, last.get(producer) ?? -1));
    }
  }

  #judgePolls(tp: string, partition: PartitionHistory): void {
    for (const [consumer, polls] of partition.polls) {
      for (let offset = 0; offset < polls.length; offset++) {
        const value = polls.at(offset);
        const held = partition.final.at(offset);
        if (Number.isNaN(value) || value === held) continue;
        const told = Number.isNaN(held) ? 'nothing' : `${held}`;
        this.#anomalies.add(
          'precommitted-read',
          `${consumer} got ${value} at ${tp}@${offset}, which holds ${told}`,
        );
      }
    }
  }

  /** Whether it is lost. */
  #judgeAcknowledged(tp: string, partition: PartitionHistory, sends: Sends, index: number): boolean {
    const offset = sends.offsets.at(index);
    const found = sends.found.at(index);
    const what = `${sends.values.at(index)}, acknowledged at ${tp}@${offset}`;
    const isLost = Number.isNaN(found);
    if (isLost) this.#anomalies.add('lost-write', what);
    else if (partition.final.at(offset) !== sends.values.at(index)) {
      this.#anomalies.add('inconsistent-offsets', `${what}, is at ${found}`);
    }
    const isUnseen = partition.polls.size > 0 && Number.isNaN(sends.polled.at(index));
    if (isUnseen && !(isLost && this.#rules.acks === 1)) this.#anomalies.add('unseen', what);
    return isLost;
  }

  #lost(losses: Map<string, Loss>, tp: string, sends: Sends, index: number): void {
    const healed = sends.healed.at(index);
    const name = this.#faults[healed];
    const fault = name === undefined ? '' : `${name} #${healed + 1}`;
    const offset = sends.offsets.at(index);
    const key = `${tp} ${fault}`;
    const known = losses.get(key) ?? { tp, fault, count: 0, firstOffset: offset, lastOffset: offset };
    losses.set(key, {
      ...known,
      count: known.count + 1,
      firstOffset: Math.min(known.firstOffset, offset),
      lastOffset: Math.max(known.lastOffset, offset),
    });
  }

  #settle(producer: number, tp: string, value: number, state: number): { sends: Sends; index: number } {
    const sends = this.#partition(tp).sends.get(producer);
    const index = sends?.values.indexOf(value) ?? -1;
    if (sends === undefined || index < 0) throw new Error(`never sent: ${value} to ${tp}`);
    sends.states.set(index, state);
    return { sends, index };
  }

  #partition(tp: string): PartitionHistory {
    let partition = this.#partitions.get(tp);
    if (partition === undefined) this.#partitions.set(tp, (partition = new PartitionHistory()));
    return partition;
  }
}
