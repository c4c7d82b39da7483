// One run of a group under everything that can go wrong, drawn from a seed: messages are lost, repeated and overtaken, nodes
// crash in the middle of a write and come back, links go dead in one direction, voters change. Afterwards all is well again, and
// the replicas must agree, serve, and answer reads.

import { invariant, type NodeId } from '@tidemark/core';
import type { RaftMessage, ReplicaKey } from '@tidemark/raft';
import { ReplicaGroup, voterOf, type Cheat, type GroupEvent, type Member } from './replica-group.ts';
import { SeededPrng } from './seeded-prng.ts';

export interface RandomRunResult {
  readonly committed: number;
  readonly terms: number;
  readonly snapshots: number;
  readonly voterChanges: number;
  readonly reads: number;
}

const STEPS = 400;

export class RandomRun {
  readonly prng: SeededPrng;
  readonly group: ReplicaGroup;
  /** Links that carry nothing, as `from>to`. */
  readonly #dead = new Set<string>();
  #proposals = 0;
  #snapshots = 0;
  #voterChanges = 0;
  #nextNode: number;

  constructor(seed: number, cheat?: Cheat, trace?: (event: GroupEvent) => void) {
    const prng = new SeededPrng(seed);
    this.prng = prng;
    const voters = [1, 2, 3, 4, 5].slice(0, prng.pick([1, 2, 3, 3, 3, 4, 5]));
    const observers = [6, 7].slice(0, prng.below(3));
    this.#nextNode = 8;
    this.group = new ReplicaGroup({
      voters,
      observers,
      prng: new SeededPrng(seed + 1),
      timing: { lingerMs: prng.pick([0, 0, 5]) },
      limits: {
        maxMessageBytes: prng.pick([10, 1000]),
        maxInFlightBytes: prng.pick([30, 1000]),
        maxInFlightMessages: prng.pick([2, 8]),
        maxCachedBytes: prng.pick([0, 20, 1000]),
        maxSnapshotPieceBytes: prng.pick([40, 1000]),
      },
      writesAtOnce: prng.chance(50),
      cheat,
      driver: prng.pick(['pipelined', 'pipelined', 'urgent', 'taciturn']),
      ...(prng.chance(20) ? { preferredLeader: 1 } : {}),
      trace: (event) => {
        if (event.type === 'installed') this.#snapshots++;
        trace?.(event);
      },
    });
  }

  run(): RandomRunResult {
    for (let step = 0; step < STEPS; step++) this.#step();
    this.heal();
    this.settleDown();
    const { leader } = this.group;
    return {
      committed: this.group.checker.committedEnd.endOffset,
      terms: leader!.up.term,
      snapshots: this.#snapshots,
      voterChanges: this.#voterChanges,
      reads: [...this.group.members.values()].reduce((sum, { readsConfirmed }) => sum + readsConfirmed, 0),
    };
  }

  #step(): void {
    const { prng, group } = this;
    const draw = prng.below(1000);
    if (draw < 450) this.#deliver(prng.chance(70) ? group.soup[0] : this.#anyMessage());
    else if (draw < 600) this.#disk();
    else if (draw < 760) this.#time();
    else if (draw < 850) this.#propose();
    else if (draw < 875) this.#read();
    else if (draw < 900) this.#lose();
    else if (draw < 920) this.#repeat();
    else if (draw < 932) this.#crash();
    else if (draw < 960) this.#restart();
    else if (draw < 966) this.#cutLink();
    else if (draw < 970) this.#dead.clear();
    else if (draw < 980) this.#changeVoters();
    else if (draw < 985) this.#transfer();
    else this.#snapshot();
    while (group.soup.length > 100) this.#lose();
  }

  #anyMember(): Member {
    return this.prng.pick([...this.group.members.values()]);
  }

  #anyMessage(): RaftMessage | undefined {
    const { soup } = this.group;
    return soup.length === 0 ? undefined : this.prng.pick(soup);
  }

  #deliver(message: RaftMessage | undefined): void {
    if (message === undefined) return;
    if (this.#dead.has(`${message.from.nodeId}>${message.to.nodeId}`)) this.group.lose(message);
    else this.group.deliver(message);
  }

  #disk(): void {
    const { node } = this.#anyMember();
    if (this.prng.chance(70)) this.group.write(node);
    else this.group.serveRead(node);
  }

  #time(): void {
    const { prng, group } = this;
    if (prng.chance(50)) group.advance(group.nowMs + prng.below(20));
    else if (prng.chance(80)) group.advance(group.nowMs + prng.below(300));
    else group.tick(this.#anyMember().node);
  }

  /** Mostly to who leads; now and then to somebody who may believe so. */
  #propose(): void {
    const { prng, group } = this;
    const member = prng.chance(80) ? group.leader : this.#anyMember();
    if (member?.raft === undefined) return;
    group.propose(member.node, `${this.#proposals++}`.padEnd(prng.below(12), '.'), 1 + prng.below(3));
  }

  #read(): void {
    const member = this.prng.chance(80) ? this.group.leader : this.#anyMember();
    if (member?.raft !== undefined) this.group.read(member.node);
  }

  #lose(): void {
    const message = this.#anyMessage();
    if (message !== undefined) this.group.lose(message);
  }

  #repeat(): void {
    const message = this.#anyMessage();
    if (message !== undefined) this.group.hand(message);
  }

  #crash(): void {
    const member = this.#anyMember();
    if (member.raft === undefined) return;
    this.group.crash(member.node, this.prng.below(member.pendingSteps.length + 1));
  }

  #restart(): void {
    const down = [...this.group.members.values()].filter(({ raft }) => raft === undefined);
    if (down.length > 0) this.group.start(this.prng.pick(down).node);
  }

  #cutLink(): void {
    const from = this.#anyMember().node;
    const to = this.#anyMember().node;
    this.#dead.add(`${from}>${to}`);
    if (this.prng.chance(50)) this.#dead.add(`${to}>${from}`);
  }

  #changeVoters(): void {
    const { group, prng } = this;
    const { leader } = group;
    if (leader === undefined) return;
    const voters: readonly ReplicaKey[] = leader.up.voters;
    const others = [...group.members.values()].filter(
      ({ node }) => !voters.some(({ nodeId }) => nodeId === node),
    );
    const add = others.length > 0 && prng.chance(60);
    const { node, diskCount } = add ? prng.pick(others) : this.#anyMember();
    const result = leader.up.proposeVoters(
      add ? { type: 'add', voter: voterOf(node, diskCount) } : { type: 'remove', replica: prng.pick(voters) },
      group.nowMs,
    );
    if (result.ok) this.#voterChanges++;
    group.pump(leader.node);
    if (group.members.size < 8 && prng.chance(10)) group.addObserver(this.#nextNode++);
  }

  #transfer(): void {
    const { leader } = this.group;
    if (leader === undefined) return;
    const to = this.prng.chance(50) ? undefined : (this.#anyMember().node as NodeId);
    leader.up.transferLeadership(to, this.group.nowMs);
    this.group.pump(leader.node);
  }

  #snapshot(): void {
    const member = this.#anyMember();
    if (member.raft === undefined) return;
    if (this.prng.chance(50)) this.group.compact(member.node);
    else this.group.takeSnapshot(member.node);
  }

  /** No faults any more. */
  heal(): void {
    const { group } = this;
    this.#dead.clear();
    group.writesAtOnce = true;
    for (const { node, raft } of group.members.values()) {
      if (raft === undefined) group.start(node);
      while (group.write(node) || group.serveRead(node));
    }
  }

  /** Within a minute there is a leader that everybody agrees with, and it takes proposals and answers reads. */
  settleDown(): void {
    const { group } = this;
    const untilMs = group.nowMs + 60_000;
    group.settle();
    while (group.disagreement() !== undefined && group.nowMs < untilMs) group.run(500);
    invariant(group.disagreement() === undefined, `liveness: ${String(group.disagreement())}`);
    // While it hands over to a preferred one it takes none.
    let isTaken = false;
    for (let tries = 0; tries < 10 && !isTaken; tries++) {
      group.run(300);
      isTaken = group.leader !== undefined && group.propose(group.leader.node, 'the end');
    }
    invariant(isTaken, 'liveness: the leader takes a proposal');
    const leader = group.leader!;
    const before = leader.readsConfirmed;
    group.read(leader.node);
    group.run(1000);
    invariant(leader.readsConfirmed > before, 'liveness: a read is confirmed');
    invariant(group.disagreement() === undefined, `liveness at the end: ${String(group.disagreement())}`);
    for (const { node, asked } of group.members.values()) {
      invariant(asked.size === 0, 'liveness: every read is answered', { node });
    }
  }
}
