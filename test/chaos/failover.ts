// Failover trials: the leader of a partition is killed with SIGKILL, or frozen with SIGSTOP, while a producer with the profile's settings
// sends to it all the time and a consumer reads along, and the clock runs until the next write is acknowledged, and until it is read.
// Between trials the broker comes back, is in sync and leads again.
import { loadavg } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import type { Admin } from '@tidemark/client';
import { Consumer, Producer, stringDeserializer } from '@tidemark/client';
import { SimPrng } from '@tidemark/simulation';
import { Cluster, eventually, type ClusterNode } from '../integration/cluster.ts';
import { fullIsr } from './in-sync.ts';
import type { Profile } from './profile.ts';

export interface FailoverOptions {
  readonly trials: number;
  readonly profile: Profile;
  readonly seed: number;
  /** With SIGSTOP in place of SIGKILL. */
  readonly freeze: boolean;
  readonly say: (line: string) => void;
}

export interface FailoverTrial {
  /** From the signal to the acknowledgement of the first record that was sent after it. */
  readonly pauseMs: number;
  /** From the signal until a consumer has the first record that was sent after it. */
  readonly readMs: number;
  readonly leaderWasController: boolean;
}

const TOPIC = 'failover';
const NODES = 3;
const SEND_EVERY_MS = 10;
const BACK_MS = 60_000;
const GIVE_UP_MS = 60_000;

/** Small batches to one partition, without end, and when they were acknowledged. */
class SteadySender {
  /** When the newest acknowledged record was sent. */
  newestSentMs = -1;
  readonly #producer: Producer<string, string>;
  readonly #timer: NodeJS.Timeout;
  #failure: unknown;
  #onAck: (() => void) | undefined;

  constructor(brokers: readonly string[], partition: number, config: Profile['clientConfig']) {
    this.#producer = new Producer({ brokers, config });
    let count = 0;
    this.#timer = setInterval(() => {
      const sentMs = performance.now();
      this.#producer.send({ topic: TOPIC, partition, value: `record ${count++} ${sentMs}` }).then(
        () => {
          this.newestSentMs = Math.max(this.newestSentMs, sentMs);
          this.#onAck?.();
        },
        (error: unknown) => (this.#failure ??= error),
      );
    }, SEND_EVERY_MS);
  }

  /** When the first record that was sent after `sinceMs` is acknowledged. */
  async acknowledgedAfter(sinceMs: number): Promise<number> {
    const deadline = performance.now() + GIVE_UP_MS;
    while (this.newestSentMs < sinceMs) {
      if (this.#failure !== undefined) throw this.#failure as Error;
      if (performance.now() > deadline) throw new Error(`nothing acknowledged within ${GIVE_UP_MS} ms`);
      const acknowledged = new Promise<void>((resolve) => (this.#onAck = resolve));
      await Promise.race([acknowledged, pause(1_000)]);
    }
    return performance.now();
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#producer.close();
    if (this.#failure !== undefined) throw this.#failure as Error;
  }
}

/** Reads one partition from its present end on, and knows when the newest record it has was sent. */
class SteadyReader {
  readonly #consumer: Consumer<Uint8Array, string>;
  readonly #isOver: Promise<void>;
  #newestSentMs = -1;
  #isClosing = false;

  constructor(brokers: readonly string[], partition: number, config: Profile['clientConfig']) {
    this.#consumer = new Consumer({ brokers, config, valueDeserializer: stringDeserializer });
    this.#consumer.assign([{ topic: TOPIC, partition, position: 'end' }]);
    this.#isOver = this.#read();
    this.#isOver.catch(() => undefined);
  }

  /** When it has the first record that was sent after `sinceMs`. */
  async readAfter(sinceMs: number): Promise<number> {
    const deadline = performance.now() + GIVE_UP_MS;
    while (this.#newestSentMs < sinceMs) {
      if (performance.now() > deadline) throw new Error(`nothing read within ${GIVE_UP_MS} ms`);
      await Promise.race([this.#isOver, pause(2)]);
    }
    return performance.now();
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    await this.#isOver;
    await this.#consumer.close();
  }

  async #read(): Promise<void> {
    while (!this.#isClosing) {
      for (const { value } of await this.#consumer.poll({ timeoutMs: 100 })) {
        this.#newestSentMs = Math.max(this.#newestSentMs, Number(value?.split(' ')[2]));
      }
    }
  }
}

export async function failoverTrials(options: FailoverOptions): Promise<readonly FailoverTrial[]> {
  const { trials, profile, say } = options;
  const { settings } = profile;
  const prng = new SimPrng(options.seed);
  const cluster = await Cluster.start({ nodes: [{ id: 1 }, { id: 2 }, { id: 3 }], settings });
  const done: FailoverTrial[] = [];
  try {
    const admin = cluster.admin();
    await admin.createTopic({ name: TOPIC, partitions: NODES, replicationFactor: NODES });
    for (let trial = 0; trial < trials; trial++) {
      await eachLeadsOne(admin);
      const controller = await cluster.leader();
      // In turns, so that both kinds are seen equally often.
      const leaderWasController = trial % 2 === 0;
      const others = cluster.nodes.filter((node) => node !== controller);
      const victim = leaderWasController ? controller : others[prng.uint32() % others.length]!;
      const taken = await trialOf(cluster, admin, victim, prng.uint32() % 2_000, options);
      const { pauseMs, readMs } = taken;
      done.push({ ...taken, leaderWasController });
      const who = leaderWasController ? 'leader and active controller' : 'leader';
      const load = loadavg()[0]!.toFixed(1);
      say(
        `trial ${trial + 1}: node ${victim.id}, ${who}: ${pauseMs} ms, read after ${readMs} ms (load ${load})`,
      );
    }
    return done;
  } finally {
    await cluster.dispose();
  }
}

async function trialOf(
  cluster: Cluster,
  admin: Admin,
  victim: ClusterNode,
  afterMs: number,
  { profile, freeze }: Pick<FailoverOptions, 'profile' | 'freeze'>,
): Promise<Pick<FailoverTrial, 'pauseMs' | 'readMs'>> {
  const { partitions } = await admin.describeTopic(TOPIC);
  const led = partitions.find(({ leaderId }) => leaderId === victim.id);
  if (led === undefined) throw new Error(`node ${victim.id} leads no partition`);
  const sender = new SteadySender(cluster.addresses(), led.partition, profile.clientConfig);
  const reader = new SteadyReader(cluster.addresses(), led.partition, profile.clientConfig);
  try {
    await sender.acknowledgedAfter(performance.now());
    await reader.readAfter(performance.now());
    // Not always at the same distance from a heartbeat.
    await pause(500 + afterMs);
    const killedMs = performance.now();
    let killed: Promise<void> | undefined;
    if (freeze) victim.server.freeze();
    else killed = victim.server.kill();
    const [pauseMs, readMs] = await Promise.all([
      sender.acknowledgedAfter(killedMs),
      reader.readAfter(killedMs),
    ]);
    await killed;
    return { pauseMs: Math.round(pauseMs - killedMs), readMs: Math.round(readMs - killedMs) };
  } finally {
    if (freeze) victim.server.resume();
    await sender.close();
    await reader.close();
    if (!victim.server.isRunning) await victim.supervise();
  }
}

/** Every replica is in sync, and each node leads the partition it is preferred for. */
async function eachLeadsOne(admin: Admin): Promise<void> {
  await fullIsr(admin, [TOPIC], NODES, BACK_MS);
  await eventually('each node the leader of a partition', BACK_MS, async () => {
    const { partitions } = await admin.describeTopic(TOPIC);
    if (new Set(partitions.map(({ leaderId }) => leaderId)).size === NODES) return true;
    await admin.electLeaders('preferred');
    return undefined;
  });
}
