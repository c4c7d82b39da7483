// One run of a simulated cluster: a safety phase, in which clients work while a nemesis does its worst, and a healing phase, in
// which everything comes back and the cluster must, too. One seed decides all of it: the same seed makes the same trace.

import { SimPrng } from '../sim-prng.ts';
import { ClientHistory } from './client-history.ts';
import { drawSchedule, type Schedule } from './faults.ts';
import { GroupHistory } from './group-history.ts';
import { GroupLoad } from './group-load.ts';
import { drawLoads, type Loads } from './loads.ts';
import { Nemesis } from './nemesis.ts';
import { RecordHistory } from './record-history.ts';
import { RecordLoad } from './record-load.ts';
import { ReplicaChecks } from './replica-checks.ts';
import { type NodeFactory, type SimulatedNode } from './simulated-node.ts';
import { SimWorld } from './sim-world.ts';
import { type Violation } from './violations.ts';
import { Workload } from './workload.ts';

export interface SeedOptions {
  readonly seed: number;
  readonly factory: NodeFactory;
  /** Default: 3 for even seeds, 5 for odd ones. */
  readonly voters?: number;
  /** In place of the seed's own. */
  readonly schedule?: Schedule;
  readonly loads?: Loads;
  /** The safety phase goes on until so many events have happened. Default 20,000. */
  readonly minEvents?: number;
}

export interface SeedResult {
  readonly seed: number;
  readonly voters: number;
  readonly events: number;
  /** Of everything that happened. */
  readonly digest: string;
  readonly virtualMs: number;
  readonly acknowledged: number;
  readonly refused: number;
  readonly unknown: number;
  readonly reads: number;
  /** Records acknowledged, of these lost with acks=1, and read by consumers. */
  readonly records: number;
  readonly recordsLost: number;
  readonly recordsRead: number;
  /** Offsets acknowledged to members of groups, and generations they were told. */
  readonly commits: number;
  readonly generations: number;
  readonly schedule: Schedule;
  readonly loads: Loads;
  readonly violation: Violation | undefined;
}

const DEFAULT_MIN_EVENTS = 20_000;
/** How often the run looks whether it is to go on. */
const SLICE_MS = 20;
const MAX_SAFETY_MS = 120_000;
/** From the end of all faults until the cluster must have come to rest. */
export const HEALING_MS = 30_000;

export async function runSeed(options: SeedOptions): Promise<SeedResult> {
  return new SeedRun(options).run();
}

class SeedRun {
  readonly #options: SeedOptions;
  readonly #world: SimWorld;
  readonly #history: ClientHistory;
  readonly #records: RecordHistory;
  readonly #groups: GroupHistory;
  readonly #schedule: Schedule;
  readonly #loads: Loads;
  readonly #voters: number;

  constructor(options: SeedOptions) {
    const { seed, factory } = options;
    this.#options = options;
    this.#voters = options.voters ?? (seed % 2 === 0 ? 3 : 5);
    const observers = seed % 3 === 0 ? 2 : 1;
    this.#world = new SimWorld({ seed, voters: this.#voters, observers, factory });
    this.#history = new ClientHistory(this.#world.violations.report);
    this.#records = new RecordHistory(this.#world.violations.report);
    this.#groups = new GroupHistory(this.#world.violations.report);
    const drawn = drawnBy(seed);
    this.#schedule = options.schedule ?? drawn.schedule;
    this.#loads = options.loads ?? drawn.loads;
  }

  async run(): Promise<SeedResult> {
    const unhandled = (cause: unknown): void => {
      const what = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
      this.#world.violations.report('node-failed', `a rejection was not handled: ${what}`);
    };
    process.on('unhandledRejection', unhandled);
    try {
      await this.#phases();
    } finally {
      process.off('unhandledRejection', unhandled);
    }
    const { clock, violations } = this.#world;
    const { acknowledged, refused, unknown, reads } = this.#history;
    return {
      seed: this.#options.seed,
      voters: this.#voters,
      events: clock.events,
      digest: clock.trace.digest,
      virtualMs: clock.monotonicMs(),
      acknowledged,
      refused,
      unknown,
      reads,
      records: this.#records.acknowledged,
      recordsLost: this.#records.lost,
      recordsRead: this.#records.read,
      commits: this.#groups.commits,
      generations: this.#groups.generations,
      schedule: this.#schedule,
      loads: this.#loads,
      violation: violations.first,
    };
  }

  async #phases(): Promise<void> {
    const { clock, hosts, prng } = this.#world;
    const { minEvents = DEFAULT_MIN_EVENTS } = this.#options;
    const streams = clientStreams(prng);
    const nemesis = new Nemesis(this.#world);
    const replicas = new ReplicaChecks(this.#world, this.#records);
    const loads = this.#loads;
    const workload = new Workload(this.#world, this.#history, loads.commands);
    const records = new RecordLoad(this.#world, this.#records, loads.records, streams.records);
    const groups = new GroupLoad(this.#world, this.#groups, loads.groups, streams.groups);
    for (const host of hosts) host.start();
    workload.start(streams.commands);
    records.start();
    groups.start();
    nemesis.begin(this.#schedule);
    const isOver = (): boolean =>
      this.#hasFailed ||
      clock.monotonicMs() > MAX_SAFETY_MS ||
      (clock.monotonicMs() >= this.#schedule.durationMs && clock.events >= minEvents);
    while (!isOver()) {
      await clock.advance(SLICE_MS);
      replicas.observe();
    }
    if (this.#hasFailed) return;
    workload.stop();
    records.stop();
    groups.calm();
    nemesis.heal();
    clock.trace.note('healing');
    await this.#converge(nemesis, { records, groups, replicas }, prng.fork('healing'));
    groups.stop();
  }

  get #hasFailed(): boolean {
    return this.#world.violations.first !== undefined;
  }

  async #converge(nemesis: Nemesis, { records, groups, replicas }: Parts, prng: SimPrng): Promise<void> {
    const { clock, violations } = this.#world;
    const endMs = clock.monotonicMs() + HEALING_MS;
    const probe = new Probe(this.#world, this.#history, prng);
    const mending = { isDone: false, isUnderWay: false };
    for (;;) {
      if (!mending.isDone && !mending.isUnderWay) {
        mending.isUnderWay = true;
        void nemesis.mendVoters().then((isDone) => {
          mending.isDone = isDone;
          mending.isUnderWay = false;
        });
      }
      await clock.advance(SLICE_MS);
      replicas.observe();
      if (this.#hasFailed) return;
      probe.ask();
      const missing = mending.isDone
        ? probe.isAcknowledged
          ? (this.#unequal() ?? records.missing ?? groups.missing)
          : 'a command'
        : 'a sound quorum';
      if (missing === undefined) break;
      if (clock.monotonicMs() < endMs) continue;
      const what = `${HEALING_MS} ms after everything healed there is no end to: ${missing}`;
      violations.report('liveness', `${what}; ${records.describe()}; ${this.#describe()}`);
      return;
    }
    const nodes = this.#nodes();
    for (const { id, node } of nodes) this.#world.images.compare(`node ${id}`, node.image);
    this.#history.check(nodes[0]!.node.image);
    await clock.settle(records.check());
  }

  /** What keeps the nodes from being equal. */
  #unequal(): string | undefined {
    const nodes = this.#nodes();
    if (nodes.length < this.#world.hosts.length) return 'starting every node';
    const leader = this.#world.leader()?.node;
    if (leader === undefined) return 'an election';
    const { commitOffset } = leader.status;
    const { offset } = leader.image;
    const isEqual = ({ node }: { readonly node: SimulatedNode }): boolean =>
      node.status.commitOffset === commitOffset &&
      node.status.logEndOffset === commitOffset &&
      node.image.offset === offset;
    return nodes.every(isEqual) ? undefined : 'catching up';
  }

  #nodes(): readonly { readonly id: number; readonly node: SimulatedNode }[] {
    return this.#world.hosts.flatMap(({ id, node }) => (node === undefined ? [] : [{ id, node }]));
  }

  #describe(): string {
    return this.#world.hosts
      .map(({ id, node, isUp }) => {
        if (node === undefined) return `${id} is ${isUp ? 'starting' : 'down'}`;
        const { role, term, commitOffset, logEndOffset, voters } = node.status;
        const set = voters.map(({ nodeId }) => nodeId).join('+');
        return `${id} is ${role} in term ${term}, commit ${commitOffset}, end ${logEndOffset}, image ${node.image.offset}, voters ${set}`;
      })
      .join('; ');
  }
}

/** The labels and their order are those of the runs kept in test/regressions, in which loads were drawn from the same numbers. */
function clientStreams(prng: SimPrng): Readonly<Record<'commands' | 'records' | 'groups', SimPrng>> {
  prng.fork('load');
  prng.fork('record load');
  const records = prng.fork('record clients');
  prng.fork('group load');
  const groups = prng.fork('group clients');
  return { records, groups, commands: prng.fork('clients') };
}

interface Parts {
  readonly records: RecordLoad;
  readonly groups: GroupLoad;
  readonly replicas: ReplicaChecks;
}

const PROBE_TIMEOUT_MS = 1_000;

/** Puts one command to the cluster after another until one is acknowledged. */
class Probe {
  readonly #world: SimWorld;
  readonly #history: ClientHistory;
  readonly #prng: SimPrng;
  #asked = 0;
  #isWaiting = false;
  isAcknowledged = false;

  constructor(world: SimWorld, history: ClientHistory, prng: SimPrng) {
    this.#world = world;
    this.#history = history;
    this.#prng = prng;
  }

  ask(): void {
    if (this.#isWaiting || this.isAcknowledged) return;
    const { hosts } = this.#world;
    const { node } = hosts[this.#prng.below(hosts.length)]!;
    if (node === undefined) return;
    this.#isWaiting = true;
    // A node that ends does not answer.
    const giveUp = this.#world.clock.after(2 * PROBE_TIMEOUT_MS, () => {
      this.#isWaiting = false;
    });
    const name = `healed-${++this.#asked}`;
    this.#history.creating(name);
    void node.createTopic(name, 0, PROBE_TIMEOUT_MS).then((answer) => {
      giveUp.cancel();
      this.#isWaiting = false;
      if (!answer.ok) return;
      this.isAcknowledged = true;
      this.#history.created(name, { known: 'acknowledged', why: '' }, answer.id);
    });
  }
}

/** What happens in the run of a seed that is given nothing. From numbers of their own: a run that is given just this is the same run. */
export function drawnBy(seed: number): { readonly schedule: Schedule; readonly loads: Loads } {
  const own = new SimPrng(seed);
  const prng = own.fork('schedule');
  const durationMs = 2_500 + prng.below(4_000);
  const schedule = drawSchedule(prng, 4 + prng.below(24), durationMs);
  return { schedule, loads: drawLoads(own.fork('loads')) };
}
