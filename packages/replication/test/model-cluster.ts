// A partition with three to five replicas, the real controller and a network that loses, repeats and reorders; driven at random,
// and checked after every step against the invariants P1, P2, P7, P8, P9 and P10.
//
// What was ever below a leader's high watermark is `committed`, in order, and never changes: everything else is checked against it.

import { failure, type BrokerId, type Offset } from '@tidemark/core';
import type { IsrProposal, PartitionLeader } from '@tidemark/replication';
import type { EpochRecord } from './epoch-log.ts';
import { LAG_MS, ModelBroker, type ModelMessage, type ModelWorld } from './model-broker.ts';
import { ModelController } from './model-controller.ts';
import { SeededPrng } from './seeded-prng.ts';

export interface ModelOptions {
  readonly seed: number;
  /** `ack`: nothing acknowledged is lost in a crash. `os`: it is, so only one broker at a time crashes. */
  readonly flush: 'ack' | 'os';
  /** Elections may lose records: then only that all come to agree in the end is checked. */
  readonly isUnclean?: boolean;
  /** Somebody moves the replicas and changes min.insync.replicas meanwhile; records are then not deleted. */
  readonly hasOperator?: boolean;
  readonly steps?: number;
}

interface Request {
  readonly broker: ModelBroker;
  readonly brokerEpoch: number;
  readonly leader: PartitionLeader;
  readonly proposal: IsrProposal;
  /** The leader has been told that nothing is known of it. */
  isGivenUp: boolean;
}

interface Waiter {
  readonly leader: PartitionLeader;
  readonly endOffset: number;
  readonly value: number;
}

export class ModelCluster implements ModelWorld {
  nowMs = 1_000_000;
  readonly isFlushed: boolean;
  readonly prng: SeededPrng;
  readonly controller: ModelController;
  readonly brokers: readonly ModelBroker[];
  readonly committed: EpochRecord[] = [];
  /** Acknowledged with acks=all: value by offset. */
  readonly acknowledged = new Map<number, number>();
  readonly log: string[] = [];
  /** How often what happened, so that a test can tell that it happened at all. */
  readonly counts = new Map<string, number>();
  readonly #options: ModelOptions;
  readonly #leaders = new Map<number, number>();
  readonly #knownHw = new Map<ModelBroker, number>();
  #soup: ModelMessage[] = [];
  #requests: Request[] = [];
  #waiters: Waiter[] = [];
  #deletions: { readonly leader: PartitionLeader; readonly before: Offset }[] = [];
  #deletedBefore = 0;
  #values = 0;
  #isCalm = false;
  /** How often each is done, compared with the others. */
  readonly #actions: readonly (readonly [number, (broker: ModelBroker) => void])[] = [
    [440, () => this.#deliverSome()],
    [100, () => this.#produce(1 + this.prng.below(3))],
    [100, (broker) => this.#sync(broker)],
    [120, (broker) => this.#learn(broker)],
    [60, () => this.#request()],
    [50, (broker) => this.#push(broker)],
    [30, () => this.#pass(this.prng.below(this.prng.chance(20) ? LAG_MS : LAG_MS / 10))],
    [20, (broker) => broker.finishTruncation()],
    [40, (broker) => this.#heartbeat(broker)],
    [4, ({ id }) => this.controller.fence(id)],
    [6, (broker) => this.#crash(broker)],
    [8, () => this.#restartOne()],
    [4, (broker) => this.#bounce(this.#leaving() ?? broker)],
    [4, () => this.controller.electPreferred()],
    [5, (broker) => broker.setIsolated(this.prng.chance(20))],
    [10, (broker) => broker.askAgain()],
    [5, () => this.#deleteRecords()],
    [30, () => this.#operate()],
  ];

  constructor(options: ModelOptions) {
    this.#options = options;
    this.prng = new SeededPrng(options.seed);
    this.isFlushed = options.flush === 'ack';
    const replicas = 3 + this.prng.below(3);
    const minInsyncReplicas = options.flush === 'os' || this.prng.chance(80) ? 2 : 1;
    this.controller = new ModelController(this.prng, options.isUnclean === true, options.flush);
    this.brokers = Array.from({ length: replicas }, (_, index) => new ModelBroker(index + 1, this));
    for (const broker of this.brokers) {
      broker.start(this.controller.register(broker.id, -1));
      this.controller.heartbeat(broker.id, broker.brokerEpoch!, this.controller.image.offset + 1);
    }
    this.controller.create(
      this.brokers.map(({ id }) => id),
      minInsyncReplicas,
    );
  }

  run(): void {
    for (let step = 0; step < (this.#options.steps ?? 400); step++) {
      this.#step();
      this.#check();
    }
    this.#heal();
  }

  send(message: ModelMessage): void {
    this.#soup.push(message);
    // What nobody ever fetches is lost.
    if (this.#soup.length > 60) this.#soup.splice(this.prng.below(this.#soup.length), 1);
  }

  propose(broker: ModelBroker, proposal: IsrProposal): void {
    const request = {
      broker,
      brokerEpoch: broker.brokerEpoch!,
      leader: broker.leader!,
      proposal,
      isGivenUp: false,
    };
    this.#requests.push(request);
    this.#note(`${broker.id} proposes ${proposal.newIsr.map(({ brokerId }) => brokerId).join()}`);
  }

  led(broker: ModelBroker, epoch: number): void {
    this.#note(`${broker.id} leads epoch ${epoch} from ${broker.log.logEndOffset}, hw ${broker.hw}`);
    const other = this.#leaders.get(epoch) ?? broker.id;
    if (other !== broker.id) this.#fail(`P9: ${other} and ${broker.id} lead epoch ${epoch}`);
    this.#leaders.set(epoch, broker.id);
    this.#count('elections');
  }

  truncating(broker: ModelBroker, to: number, losesCommitted: boolean): void {
    this.#note(`${broker.id} truncates ${broker.log.logEndOffset} to ${to}, hw ${broker.hw}`);
    if (to < broker.log.logEndOffset) this.#count('truncations');
    if (losesCommitted && this.#options.isUnclean !== true) {
      this.#fail(`P8: broker ${broker.id} truncates to ${to}, below its high watermark ${broker.hw}`);
    }
  }

  /** P2 and P8: what a leader's high watermark passes is committed, once and for all. */
  advanced(broker: ModelBroker, leader: PartitionLeader): void {
    const hw = leader.highWatermark;
    const minimum = ModelController.minInsyncReplicasOf(this.controller.images[broker.applied - 1]!);
    if (leader.inSyncReplicas.length < minimum) {
      this.#fail(`P8: ${broker.id} commits ${hw} with ${leader.inSyncReplicas.length} in sync`);
    }
    if (broker.isIsolated) this.#fail(`${broker.id} commits ${hw} while it is isolated`);
    for (let offset = this.committed.length; offset < hw; offset++)
      this.committed.push(broker.log.at(offset)!);
    this.#count('commits');
  }

  #step(): void {
    const broker = this.prng.pick(this.brokers);
    let dice = this.prng.below(this.#actions.reduce((sum, [weight]) => sum + weight, 0));
    for (const [weight, act] of this.#actions) {
      dice -= weight;
      if (dice >= 0) continue;
      act(broker);
      return;
    }
  }

  #deliverSome(): void {
    for (let each = this.prng.below(5); each >= 0; each--) this.#deliver();
  }

  #deliver(): void {
    const { prng } = this;
    if (this.#soup.length === 0) return;
    const index = this.#isCalm || prng.chance(60) ? 0 : prng.below(this.#soup.length);
    const message = this.#soup[index]!;
    const isRepeated = !this.#isCalm && prng.chance(10);
    if (!isRepeated) this.#soup.splice(index, 1);
    if (!this.#isCalm && prng.chance(5)) return;
    const broker = this.brokers[message.to - 1]!;
    if (broker.brokerEpoch !== undefined) broker.receive(message);
  }

  #produce(count: number): void {
    const leaders = this.brokers.filter(({ leader }) => leader !== undefined);
    if (leaders.length === 0) return;
    const broker = this.prng.pick(leaders);
    const leader = broker.leader!;
    const isAll = this.prng.chance(70);
    for (let each = 0; each < count; each++) {
      if (leader.checkAppend(isAll ? 'all' : 'leader') !== undefined) return;
      const value = ++this.#values;
      const endOffset = broker.produce(value);
      if (isAll) this.#waiters.push({ leader, endOffset, value });
    }
  }

  #sync(broker: ModelBroker): void {
    if (broker.brokerEpoch === undefined || broker.isTruncating) return;
    const end = broker.log.logEndOffset;
    broker.sync(this.prng.chance(70) ? end : broker.syncedEnd + this.prng.below(end - broker.syncedEnd + 1));
    if (this.prng.chance(30)) broker.checkpointedHw = Math.max(broker.checkpointedHw, broker.hw);
  }

  #learn(broker: ModelBroker): void {
    const { images } = this.controller;
    if (broker.brokerEpoch === undefined || broker.isTruncating) return;
    // Some images are skipped, as when many records come at once.
    const behind = images.length - broker.applied;
    if (behind === 0) return;
    broker.applied += this.prng.chance(60) ? 1 : behind;
    broker.apply(images[broker.applied - 1]!);
  }

  /** The oldest request of a broker is decided, lost, or given up before it is decided. */
  #request(): void {
    const { prng } = this;
    const request = this.#requests[prng.below(Math.max(1, this.#requests.length))];
    if (request === undefined || this.#requests.find(({ broker }) => broker === request.broker) !== request)
      return;
    const { broker, brokerEpoch, leader, proposal } = request;
    const unknown = failure(prng.chance(50) ? 'REQUEST_TIMED_OUT' : 'NETWORK_EXCEPTION');
    if (!this.#isCalm && !request.isGivenUp && prng.chance(15)) {
      request.isGivenUp = true;
      this.#count('proposals of unknown outcome');
      broker.answered(proposal, unknown, leader);
      return;
    }
    this.#requests.splice(this.#requests.indexOf(request), 1);
    const isLost = !this.#isCalm && prng.chance(15);
    const answer = isLost
      ? unknown
      : this.controller.run({
          type: 'alterPartition',
          brokerId: broker.id as BrokerId,
          brokerEpoch: brokerEpoch as never,
          partitions: [{ topicId: this.controller.topicId, partition: 0 as never, ...proposal }],
        });
    const outcome = 'error' in answer ? answer : answer.partitions[0]!;
    this.#count(outcome.ok ? 'proposals taken' : `proposals ${outcome.error}`);
    this.#note(`${broker.id} is answered ${outcome.ok ? outcome.isr.join() : outcome.error}`);
    if (request.isGivenUp) return;
    broker.answered(proposal, !this.#isCalm && prng.chance(15) ? unknown : outcome, leader);
  }

  #push(broker: ModelBroker): void {
    for (const to of broker.pushTargets) broker.push(to, this.#isCalm ? Infinity : 2);
  }

  #pass(ms: number): void {
    this.nowMs += ms;
    for (const broker of this.brokers) broker.tick();
  }

  #heartbeat(broker: ModelBroker): void {
    if (broker.brokerEpoch === undefined || broker.applied === 0) return;
    const appliedOffset = this.controller.images[broker.applied - 1]!.offset + 1;
    this.controller.heartbeat(broker.id, broker.brokerEpoch, appliedOffset);
  }

  #restartOne(): void {
    const stopped = this.brokers.filter(({ brokerEpoch }) => brokerEpoch === undefined);
    if (stopped.length > 0) this.#restart(this.prng.pick(stopped), -1);
  }

  #crash(broker: ModelBroker): void {
    if (broker.brokerEpoch === undefined || !this.#mayCrash(broker)) return;
    const { syncedEnd, log } = broker;
    const end = syncedEnd + this.prng.below(log.logEndOffset - syncedEnd + 1);
    this.#note(`${broker.id} crashes, ${log.logEndOffset} to ${end}, synced ${syncedEnd}`);
    this.#count('crashes');
    broker.crash(end);
    this.#knownHw.delete(broker);
  }

  /** Where a crash loses what was acknowledged, one broker at a time is down, and another member has everything. */
  #mayCrash(broker: ModelBroker): boolean {
    if (this.isFlushed) return true;
    if (this.brokers.some(({ brokerEpoch }) => brokerEpoch === undefined)) return false;
    const { isr, elr } = this.controller.partition;
    return [...isr, ...elr].some((id) => id !== broker.id);
  }

  #restart(broker: ModelBroker, previousBrokerEpoch: number): void {
    broker.start(this.controller.register(broker.id, previousBrokerEpoch));
    this.#note(`${broker.id} registers, epoch ${broker.brokerEpoch}`);
  }

  #leaving(): ModelBroker | undefined {
    const { image } = this.controller;
    return this.brokers.find(
      ({ id, brokerEpoch }) => brokerEpoch !== undefined && image.broker(id)!.inControlledShutdown,
    );
  }

  /** A controlled shutdown, and a new start after it. */
  #bounce(broker: ModelBroker): void {
    const { brokerEpoch } = broker;
    if (brokerEpoch === undefined || broker.isTruncating) return;
    if (!this.controller.image.broker(broker.id)!.inControlledShutdown) {
      this.controller.heartbeat(broker.id, brokerEpoch, this.controller.image.offset + 1, true);
      return;
    }
    broker.stopCleanly();
    this.#restart(broker, brokerEpoch);
  }

  dropped(broker: ModelBroker): void {
    this.#knownHw.delete(broker);
  }

  #operate(): void {
    if (this.#options.hasOperator !== true) return;
    const { prng, controller } = this;
    const dice = prng.below(6);
    if (dice === 0) controller.reassign(undefined);
    else if (dice < 5) controller.setMinInsyncReplicas(1 + prng.below(2));
    else {
      const ids = this.brokers.map(({ id }) => id);
      const size = 1 + prng.below(3);
      while (ids.length > size) ids.splice(prng.below(ids.length), 1);
      controller.reassign(ids);
    }
    this.#count('operations');
  }

  #deleteRecords(): void {
    if (this.#options.hasOperator === true) return;
    const broker = this.brokers.find(({ leader }) => leader !== undefined);
    if (broker === undefined) return;
    const { start } = broker.log;
    broker.deleteBefore(start + this.prng.below(broker.hw - Math.min(start, broker.hw) + 1));
    broker.leader!.deletedBefore(broker.log.logStartOffset);
    this.#deletions.push({ leader: broker.leader!, before: broker.log.logStartOffset });
  }

  #check(): void {
    if (this.#options.isUnclean === true) return;
    for (const broker of this.brokers) this.#checkBroker(broker);
    this.#checkEligible();
    this.#waiters = this.#waiters.filter(({ leader, endOffset, value }) => {
      if (leader.highWatermark < endOffset) return true;
      if (leader.checkCommitted() === undefined) this.acknowledged.set(endOffset - 1, value);
      return false;
    });
    this.#checkDeleted();
  }

  /** Who may be elected from the in-sync replicas has nothing of what somebody was told to be deleted. */
  #checkDeleted(): void {
    this.#deletions = this.#deletions.filter(({ leader, before }) => {
      if (this.brokers.every((broker) => broker.leader !== leader)) return false;
      if (!leader.isDeletedBefore(before)) return true;
      this.#deletedBefore = Math.max(this.#deletedBefore, before);
      this.#count('deletions');
      return false;
    });
    for (const id of this.controller.partition.isr) {
      const { isDamaged, log } = this.brokers[id - 1]!;
      if (isDamaged || log.start >= this.#deletedBefore) continue;
      this.#fail(`${id} is in sync and starts at ${log.start}, deleted is ${this.#deletedBefore}`);
    }
  }

  /** P2, P7 and P8 for one replica. */
  #checkBroker(broker: ModelBroker): void {
    const { id, hw, acknowledgeable } = broker;
    if (broker.brokerEpoch === undefined) return;
    const before = this.#knownHw.get(broker) ?? 0;
    if (hw < before) this.#fail(`P8: the high watermark of ${id} goes back from ${before} to ${hw}`);
    this.#knownHw.set(broker, hw);
    if (hw > this.committed.length)
      this.#fail(`P8: ${id} takes ${hw} for committed, of ${this.committed.length}`);
    if (hw > acknowledgeable) this.#fail(`P8: ${id} has ${hw} committed and holds ${acknowledgeable}`);
    this.#expectCommitted(broker, hw, 'P7');
  }

  /** P10: who may be elected has everything committed. */
  #checkEligible(): void {
    const { isr, elr } = this.controller.partition;
    for (const id of [...isr, ...elr]) {
      const broker = this.brokers[id - 1]!;
      if (broker.isDamaged) continue;
      if (broker.acknowledgeable < this.committed.length) {
        this.#fail(`P10: ${id} is eligible and holds ${broker.acknowledgeable} of ${this.committed.length}`);
      }
      this.#expectCommitted(broker, this.committed.length, 'P10');
    }
  }

  #expectCommitted({ id, log }: ModelBroker, end: number, rule: string): void {
    for (let offset = log.start; offset < end; offset++) {
      const mine = log.at(offset);
      const theirs = this.committed[offset]!;
      if (mine?.value !== theirs.value || mine.epoch !== theirs.epoch) {
        this.#fail(
          `${rule}: ${id} has ${JSON.stringify(mine)} at ${offset}, committed is ${JSON.stringify(theirs)}`,
        );
      }
    }
  }

  /** Everybody is there and everything arrives: then all come to agree, and nothing acknowledged is missing (P1). */
  #heal(): void {
    this.#isCalm = true;
    this.#soup = [];
    for (const request of this.#requests.splice(0)) {
      if (!request.isGivenUp)
        request.broker.answered(request.proposal, failure('REQUEST_TIMED_OUT'), request.leader);
    }
    for (const broker of this.brokers) {
      broker.finishTruncation();
      if (broker.brokerEpoch === undefined) this.#restart(broker, -1);
      else if (this.controller.image.broker(broker.id)!.inControlledShutdown) {
        const { brokerEpoch } = broker;
        broker.stopCleanly();
        this.#restart(broker, brokerEpoch);
      }
      broker.setIsolated(false);
    }
    if (this.#options.hasOperator === true) this.controller.reassign(this.brokers.map(({ id }) => id));
    for (let round = 0; round < 80 && !this.#isHealed(); round++) this.#calmRound();
    if (!this.#isHealed()) this.#fail('they do not come to agree');
    for (const [offset, value] of this.acknowledged) {
      for (const { id, log } of this.brokers) {
        if (offset < log.start || log.at(offset)?.value === value) continue;
        this.#fail(
          `P1: ${value} was acknowledged at ${offset}, and ${id} has ${JSON.stringify(log.at(offset))}`,
        );
      }
    }
  }

  #calmRound(): void {
    for (const broker of this.brokers) {
      while (!broker.isTruncating && broker.applied < this.controller.images.length) {
        broker.applied += 1;
        broker.apply(this.controller.images[broker.applied - 1]!);
      }
      broker.finishTruncation();
      this.#heartbeat(broker);
      broker.askAgain();
      broker.sync(broker.log.logEndOffset);
    }
    for (let each = 0; each < 200 && this.#soup.length > 0; each++) {
      this.#deliver();
      for (const broker of this.brokers) broker.finishTruncation();
    }
    for (const broker of this.brokers) this.#push(broker);
    while (this.#requests.length > 0) this.#request();
    this.#pass(LAG_MS / 4);
    this.#check();
  }

  #isHealed(): boolean {
    const leader = this.brokers.find(({ id }) => id === this.controller.partition.leader);
    if (leader?.leader === undefined || this.controller.partition.isr.length < this.brokers.length)
      return false;
    const end = leader.log.logEndOffset;
    return this.brokers.every(({ hw, log }) => {
      if (hw !== end || log.logEndOffset !== end) return false;
      const from = Math.max(log.start, leader.log.start);
      for (let offset = from; offset < end; offset++) {
        if (log.at(offset)!.value !== leader.log.at(offset)!.value) return false;
      }
      return true;
    });
  }

  #count(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
  }

  #note(line: string): void {
    this.log.push(line);
  }

  #fail(what: string): never {
    const { isr, elr, leader, leaderEpoch } = this.controller.partition;
    const state = `leader ${leader} epoch ${leaderEpoch} isr [${isr.join()}] elr [${elr.join()}]`;
    const logs = this.brokers.map(({ id, log, hw, syncedEnd, status }) => {
      const broker = this.controller.image.broker(id)!;
      const metadata = `${broker.epoch}${broker.fenced ? ' fenced' : ''}${broker.inControlledShutdown ? ' leaving' : ''}`;
      return `${id}: ${log.start}: ${log.history} hw ${hw} synced ${syncedEnd}, ${status}; registered ${metadata}`;
    });
    throw new Error(
      [`seed ${this.#options.seed}: ${what}`, state, ...logs, ...this.log.slice(-25)].join('\n'),
    );
  }
}
