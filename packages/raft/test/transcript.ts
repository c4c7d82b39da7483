// Runs a transcript: commands, a line `----`, and what was observed, up to an empty line. Commands, one a line:
//
//   group 1 2 3 [observers 4 5] [name=value ...]   begins anew; names are those of RaftTiming and RaftLimits, or preferredLeader
//   disk 3 term 4 log 1 1 2                        before `start`: what its disk holds, one entry for each term
//   start                                          everybody (who has a disk of their own by `disk` included)
//   refused N by M                                 M finds that nobody listens where N should be
//   campaign N | tick N | after MS | run MS | run MS quietly
//   settle [quietly]                               delivers everything and what comes of it, in order
//   deliver 1>2 [type] | lose 1>2 [type] | repeat 1>2 [type]     what is on its way now; `*` for any node
//   waiting                                        what is on its way
//   cut 1>2 ... | isolate N | mend                 what is sent there is lost when it should arrive
//   hold N | write N [steps] | serve N | release N    the disk waits, does steps, answers a read, is quick again
//   propose N text [x5] | read N | crash N | restart N | wipe N | observer N | compact N | snapshot N
//   add N M | remove N M | transfer N M | status | logs

import { invariant, type NodeId } from '@tidemark/core';
import type { RaftMessage } from '@tidemark/raft';
import { entry, position } from './entries.ts';
import { EMPTY_IMAGE, type FakeDisk } from './fake-disk.ts';
import { ReplicaGroup, voterOf, type GroupEvent } from './replica-group.ts';
import { SeededPrng } from './seeded-prng.ts';
import { eventText, messageText, nameOf, votersText } from './transcript-text.ts';

const TIMING = ['electionTimeoutMs', 'heartbeatIntervalMs', 'checkQuorumMs', 'lingerMs'];

interface Prepared {
  readonly term: number;
  readonly log: readonly number[];
}

export class Transcript {
  #lines: string[] = [];
  #group: ReplicaGroup | undefined;
  #pending: string[] = [];
  #prepared = new Map<number, Prepared>();
  readonly #cut = new Set<string>();
  #held = new Set<number>();
  #isQuiet = false;

  /** The same text with what was observed put in the place of what was expected. */
  static rewrite(text: string): string {
    const transcript = new Transcript();
    const blocks = text.trimEnd().split(/\n{2,}/);
    return `${blocks.map((block) => transcript.#block(block)).join('\n\n')}\n`;
  }

  #block(block: string): string {
    const lines = block.split('\n');
    const end = lines.indexOf('----');
    const commands = end < 0 ? lines : lines.slice(0, end);
    if (commands.every((line) => line.startsWith('#'))) return commands.join('\n');
    this.#lines = [];
    for (const command of commands) if (!command.startsWith('#')) this.#run(command.trim().split(/\s+/));
    const observed = this.#lines.length === 0 ? ['nothing'] : this.#lines;
    return [...commands, '----', ...observed].join('\n');
  }

  get #here(): ReplicaGroup {
    this.#group ??= this.#begin();
    return this.#group;
  }

  #begin(): ReplicaGroup {
    const words = this.#pending;
    const isOption = (word: string): boolean => word.includes('=');
    const nodes = words.filter((word) => !isOption(word));
    const split = nodes.includes('observers') ? nodes.indexOf('observers') : nodes.length;
    const options = Object.fromEntries(
      words.filter(isOption).map((word) => {
        const [name, value] = word.split('=');
        return [name!, Number(value)];
      }),
    );
    const { preferredLeader, ...rest } = options;
    const isTiming = ([name]: [string, number]): boolean => TIMING.includes(name);
    const entries = Object.entries(rest);
    return new ReplicaGroup({
      voters: nodes.slice(0, split).map(Number),
      observers: nodes.slice(split + 1).map(Number),
      timing: Object.fromEntries(entries.filter(isTiming)),
      limits: Object.fromEntries(entries.filter((one) => !isTiming(one))),
      prng: new SeededPrng(1),
      ...(preferredLeader === undefined ? {} : { preferredLeader }),
      prepare: (node, disk) => this.#prepare(node, disk),
      trace: (event) => this.#observe(event),
    });
  }

  #prepare(node: number, disk: FakeDisk): void {
    const prepared = this.#prepared.get(node);
    if (prepared === undefined) return;
    disk.hardState = { term: position(0, prepared.term).term, vote: undefined };
    disk.image = EMPTY_IMAGE;
    disk.entries = prepared.log.map((term, at) => entry(term, at, `${term}.${at}`));
  }

  #observe(event: GroupEvent): void {
    if (event.type === 'written' && !this.#held.has(event.node)) return;
    if (this.#isQuiet && !['role', 'voters', 'installed', 'read'].includes(event.type)) return;
    const text = eventText(event);
    if (text !== undefined) this.#lines.push(text);
  }

  #say(text: string): void {
    this.#lines.push(text);
  }

  #run(words: readonly string[]): void {
    const [name, ...rest] = words;
    const command = this.#commands[name!];
    invariant(command !== undefined, 'a transcript holds known commands', { name });
    this.#isQuiet = rest.at(-1) === 'quietly';
    command(rest, Number(rest[0]));
    this.#isQuiet = false;
  }

  /** By name; with the words behind it, and the first of these as a number. */
  readonly #commands: Readonly<Record<string, (rest: readonly string[], node: number) => void>> = {
    group: (rest) => {
      this.#group = undefined;
      this.#prepared = new Map();
      this.#held = new Set();
      this.#cut.clear();
      this.#pending = [...rest];
    },
    disk: (rest, node) => {
      this.#prepared.set(node, { term: Number(rest[2]), log: rest.slice(4).map(Number) });
    },
    start: () => {
      this.#group = this.#here;
    },
    campaign: (_, node) => {
      this.#here.raft(node).campaignNow(this.#here.nowMs);
      this.#here.tick(node);
    },
    tick: (_, node) => this.#here.tick(node),
    refused: ([, , by], peer) => {
      this.#here.raft(Number(by)).refused(peer as NodeId, this.#here.nowMs);
    },
    after: (_, durationMs) => {
      this.#here.nowMs += durationMs;
    },
    run: (_, durationMs) => this.#goOn(durationMs),
    settle: () => this.#settle(),
    deliver: ([link, type]) => this.#some(link!, type, (message) => this.#deliver(message)),
    lose: ([link, type]) =>
      this.#some(link!, type, (message) => {
        this.#here.lose(message);
        this.#say(`${messageText(message)} (lost)`);
      }),
    repeat: ([link, type]) =>
      this.#some(link!, type, (message) => {
        this.#say(`${messageText(message)} (and once more)`);
        this.#here.hand(message);
      }),
    waiting: () => {
      for (const message of this.#here.soup) this.#say(messageText(message));
    },
    cut: (links) => {
      for (const link of links) this.#cut.add(link);
    },
    isolate: (_, node) => {
      for (const other of this.#here.nodes) {
        if (other !== node) this.#cut.add(`${node}>${other}`).add(`${other}>${node}`);
      }
    },
    mend: () => this.#cut.clear(),
    hold: (_, node) => {
      this.#held.add(node);
      this.#here.held.add(node);
    },
    release: (_, node) => {
      this.#here.held.delete(node);
      while (this.#here.write(node) || this.#here.serveRead(node));
      this.#held.delete(node);
    },
    write: ([, steps], node) => {
      for (let left = Number(steps ?? 1000); left > 0 && this.#here.write(node); left--);
    },
    serve: (_, node) => {
      if (!this.#here.serveRead(node)) this.#say('there is nothing to read');
    },
    propose: ([, text, times], node) => {
      for (let left = Number(times?.slice(1) ?? 1); left > 0; left--) {
        if (!this.#here.propose(node, text!)) this.#say(`${node} refuses it`);
      }
    },
    read: (_, node) => {
      const id = this.#here.read(node);
      this.#say(`${node} is asked for read ${id}`);
    },
    crash: (_, node) => this.#here.crash(node),
    restart: (_, node) => this.#here.start(node),
    wipe: (_, node) => this.#here.wipe(node),
    observer: (_, node) => this.#here.addObserver(node),
    compact: (_, node) => this.#here.compact(node),
    snapshot: (_, node) => this.#here.takeSnapshot(node),
    add: ([, other], node) => this.#change(node, 'add', Number(other)),
    remove: ([, other], node) => this.#change(node, 'remove', Number(other)),
    transfer: ([, other], node) => {
      const to = other === undefined ? undefined : (Number(other) as NodeId);
      const result = this.#here.raft(node).transferLeadership(to, this.#here.nowMs);
      if (!result.ok) this.#say(`${node} refuses: ${result.message}`);
      this.#here.pump(node);
    },
    status: () => this.#status(),
    logs: () => this.#logs(),
  };

  #change(node: number, type: 'add' | 'remove', other: number): void {
    const group = this.#here;
    const raft = group.raft(node);
    const voter = raft.voters.find(({ nodeId }) => nodeId === other) ?? voterOf(other);
    const key = type === 'add' ? { ...voterOf(other), ...group.member(other).key } : voter;
    const result = raft.proposeVoters(
      type === 'add' ? { type, voter: key } : { type, replica: key },
      group.nowMs,
    );
    if (!result.ok) this.#say(`${node} refuses: ${result.error}, ${result.message}`);
    group.pump(node);
  }

  #isCut({ from, to }: RaftMessage): boolean {
    return this.#cut.has(`${from.nodeId}>${to.nodeId}`);
  }

  #hand(message: RaftMessage): void {
    const isLost = this.#isCut(message) || this.#here.members.get(message.to.nodeId)?.raft === undefined;
    if (!this.#isQuiet) this.#say(`${messageText(message)}${isLost ? ' (lost)' : ''}`);
    if (!isLost) this.#here.hand(message);
  }

  #settle(): void {
    const group = this.#here;
    for (let left = 10_000; group.soup.length > 0; left--) {
      invariant(left > 0, 'the replicas have said everything at some time');
      this.#hand(group.soup.shift()!);
    }
  }

  #goOn(durationMs: number): void {
    const group = this.#here;
    const untilMs = group.nowMs + durationMs;
    while (group.nowMs < untilMs) {
      const before = group.nowMs;
      group.advance(untilMs);
      if (group.nowMs > before && group.soup.length > 0 && !this.#isQuiet) this.#say(`-- ${group.nowMs} ms`);
      this.#settle();
    }
  }

  #deliver(message: RaftMessage): void {
    this.#here.lose(message);
    this.#hand(message);
  }

  /** What is on its way now on a link, of one type or of any. */
  #some(link: string, type: string | undefined, what: (message: RaftMessage) => void): void {
    const [from, to] = link.split('>');
    const meant = this.#here.soup.filter(
      (message) =>
        (from === '*' || message.from.nodeId === Number(from)) &&
        (to === '*' || message.to.nodeId === Number(to)) &&
        (type === undefined || message.type === type),
    );
    if (meant.length === 0) this.#say('there is nothing of that kind');
    for (const message of meant) what(message);
  }

  #status(): void {
    const group = this.#here;
    for (const { node, raft } of group.members.values()) {
      if (raft === undefined) {
        this.#say(`${node}: down`);
        continue;
      }
      const { role, term, leader, voters, commitOffset, logStartOffset, logEndOffset, replicas } =
        raft.status(group.nowMs);
      const of = leader === undefined || role === 'leader' ? '' : ` of ${nameOf(leader)}`;
      this.#say(
        `${node}: ${role}${of}, term ${term}, log ${logStartOffset}..${logEndOffset}, commit ${commitOffset}, ${votersText(voters)}`,
      );
      for (const { key, isVoter, matchOffset, lastContactMsAgo, state } of replicas) {
        this.#say(
          `   ${nameOf(key)}: ${isVoter ? 'voter' : 'observer'}, ${state}, match ${matchOffset}, heard ${lastContactMsAgo} ms ago`,
        );
      }
    }
  }

  #logs(): void {
    for (const { node, mirror } of this.#here.members.values()) {
      const ends = mirror.entries.map(({ term, endOffset }) => `t${term}@${endOffset}`);
      const base = mirror.base.endOffset > 0 ? [`[t${mirror.base.term}@${mirror.base.endOffset}]`] : [];
      this.#say(`${node}: ${[...base, ...ends].join(' ')}`);
    }
  }
}
