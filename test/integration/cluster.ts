// A cluster of real processes on this machine: each node a `tidemark server` with a folder and ports of its own, which it keeps
// over kills, frozen time and lost disks. What is started here is ended here, by pid; nothing of it stays behind.
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { ChannelCredentials } from '@grpc/grpc-js';
import { Admin } from '@tidemark/client';
import {
  Channel,
  clusterService,
  quorumService,
  type CallDefinition,
  type DescribeClusterResponseOutput as DescribedCluster,
  type DescribeQuorumResponseOutput as DescribedQuorum,
} from '@tidemark/rpc';
import { runCommand, ServerProcess, type CommandResult, type LogLine } from './start-server.ts';

export type Roles = 'broker,controller' | 'controller' | 'broker';

export interface NodeSpec {
  readonly id: number;
  /** Default: both. */
  readonly roles?: Roles;
  /** Of this node alone; over those of the cluster. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Not among `controller.quorum.voters`, though a controller; and not started with the others. */
  readonly joinsLater?: boolean;
}

export interface ClusterOptions {
  readonly nodes: readonly NodeSpec[];
  readonly settings?: Readonly<Record<string, string>>;
  /** Options of Node itself, such as `--cpu-prof`. */
  readonly nodeOptions?: readonly string[];
  /** What `controller.quorum.voters` of a node is, by the peer ports of all: for links of a test's own between nodes. */
  readonly votersSeenBy?: (id: number, peerPorts: ReadonlyMap<number, number>) => Promise<string>;
  /** What the test's own clients show, and whom they trust. Default: plaintext. */
  readonly credentials?: ChannelCredentials;
}

/** Everything that is waited for by time-outs, fast: for stories that are not about how long things take by default. */
export const HASTY: Readonly<Record<string, string>> = {
  'controller.quorum.election.timeout.ms': '300',
  'controller.quorum.fetch.timeout.ms': '600',
  'broker.session.timeout.ms': '2000',
  'broker.heartbeat.interval.ms': '300',
};

const POLL_MS = 20;
const TRIES = 4;

/** What `look` answers once that is not undefined; asked again and again. After `withinMs` an error that says what did not come. */
export async function eventually<T>(
  what: string,
  withinMs: number,
  look: () => Promise<T | undefined> | T | undefined,
): Promise<T> {
  const deadline = performance.now() + withinMs;
  let last = '';
  for (;;) {
    try {
      const found = await look();
      if (found !== undefined) return found;
    } catch (error) {
      last = `; at last: ${String(error)}`;
    }
    if (performance.now() >= deadline) throw new Error(`within ${withinMs} ms not seen: ${what}${last}`);
    await pause(POLL_MS);
  }
}

export class ClusterNode {
  readonly id: number;
  readonly roles: Roles;
  /** `host:port` each. */
  readonly address: string;
  readonly peerAddress: string;
  readonly server: ServerProcess;
  readonly #channel: Channel;

  constructor(
    id: number,
    roles: Roles,
    ports: NodePorts,
    server: ServerProcess,
    channel: Pick<ClusterOptions, 'credentials'> = {},
  ) {
    this.id = id;
    this.roles = roles;
    this.address = `127.0.0.1:${ports.client}`;
    this.peerAddress = `127.0.0.1:${ports.peer}`;
    this.server = server;
    this.#channel = new Channel(this.address, { maxReconnectBackoffMs: 100, ...channel });
  }

  /** Resolves when it serves clients. A port that somebody else has for a moment is waited for, if the node has had it before. */
  async start({ patient = true }: { readonly patient?: boolean } = {}): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        await this.server.start();
        return;
      } catch (error) {
        if (!patient || !isPortTaken(error) || tries === TRIES) throw error;
      }
    }
  }

  /** Resolves when it serves; a process that ends before that is started again, as by a supervisor. */
  async supervise(): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        await this.start();
        return;
      } catch (error) {
        // Killed once more by whoever started it.
        if (tries === TRIES || String(error).includes('SIGKILL')) throw error;
      }
    }
  }

  /** The disk is lost: an empty folder. */
  async wipe(): Promise<void> {
    if (this.server.isRunning) throw new Error(`node ${this.id} runs`);
    await rm(this.server.dataDirectory, { recursive: true, force: true });
  }

  /** One request to this node and no other. */
  call<Request, Response>(
    method: CallDefinition<Request, Response>,
    request: Request,
    timeoutMs = 5_000,
  ): Promise<Response> {
    return this.#channel.unary(method, request, { timeoutMs });
  }

  /** What this node itself knows, however old. */
  quorum(): Promise<DescribedQuorum> {
    return this.call(quorumService.DescribeQuorum, { allowStale: true });
  }

  /** What this node itself knows, however old. */
  cluster(): Promise<DescribedCluster> {
    return this.call(clusterService.DescribeCluster, { allowStale: true });
  }

  logged(msg: string): readonly LogLine[] {
    return this.server.log.filter((line) => line.msg === msg);
  }

  async dispose(): Promise<void> {
    this.#channel.close();
    await this.server.dispose();
  }
}

interface NodePorts {
  readonly client: number;
  readonly peer: number;
}

export class Cluster {
  readonly nodes: readonly ClusterNode[];
  /** As the nodes have it in their configuration. */
  readonly voters: string;
  readonly #directory: string;
  readonly #admins: Admin[] = [];
  readonly #channel: Pick<ClusterOptions, 'credentials'>;

  private constructor(
    directory: string,
    options: ClusterOptions,
    ports: readonly NodePorts[],
    seen: ReadonlyMap<number, string>,
  ) {
    this.#directory = directory;
    this.#channel = channelOf(options);
    this.voters = options.nodes
      .flatMap(({ id, roles, joinsLater = false }, at) =>
        roles === 'broker' || joinsLater ? [] : [`${id}@127.0.0.1:${ports[at]!.peer}`],
      )
      .join(',');
    this.nodes = options.nodes.map((spec, at) => this.#node(spec, ports[at]!, options, seen.get(spec.id)));
  }

  /** All nodes but those that join later serve. When one of the ports was taken meanwhile, everything begins anew with others. */
  static async start(options: ClusterOptions): Promise<Cluster> {
    for (let tries = 1; ; tries++) {
      const directory = await mkdtemp(join(tmpdir(), 'tidemark-cluster-'));
      const ports = await reservePorts(options.nodes.length);
      const peerPorts = new Map(options.nodes.map(({ id }, at) => [id, ports[at]!.peer]));
      const seen = new Map<number, string>();
      if (options.votersSeenBy !== undefined) {
        for (const { id } of options.nodes) seen.set(id, await options.votersSeenBy(id, peerPorts));
      }
      const cluster = new Cluster(directory, options, ports, seen);
      const first = cluster.nodes.filter((_, at) => options.nodes[at]!.joinsLater !== true);
      const started = await Promise.allSettled(first.map((node) => node.start({ patient: false })));
      const failed = started.flatMap((result) =>
        result.status === 'rejected' ? [result.reason as Error] : [],
      );
      if (failed.length === 0) return cluster;
      await cluster.dispose();
      if (!failed.some(isPortTaken) || tries === TRIES) throw failed[0]!;
    }
  }

  node(id: number): ClusterNode {
    const found = this.nodes.find((node) => node.id === id);
    if (found === undefined) throw new Error(`the cluster has no node ${id}`);
    return found;
  }

  /** For `--brokers`; without `except`. */
  addresses(...except: readonly ClusterNode[]): readonly string[] {
    return this.nodes.filter((node) => !except.includes(node)).map(({ address }) => address);
  }

  /** Begins at these addresses, or at all. Closed with the cluster. */
  admin(addresses: readonly string[] = this.addresses()): Admin {
    const admin = new Admin({ brokers: addresses, channel: this.#channel });
    this.#admins.push(admin);
    return admin;
  }

  /** `tidemark ARGS --brokers ...`. */
  cli(args: readonly string[], input?: string): Promise<CommandResult> {
    return runCommand(
      [...args, '--brokers', this.addresses().join(',')],
      input === undefined ? {} : { input },
    );
  }

  /** The node that leads, as it says itself after asking the others (read index). */
  async leader(withinMs = 10_000, except?: ClusterNode): Promise<ClusterNode> {
    return eventually('a leader of the quorum', withinMs, () => this.#leader(except));
  }

  /** How the quorum is, by its leader. */
  async quorum(withinMs = 10_000): Promise<DescribedQuorum> {
    return eventually('what the leader says of the quorum', withinMs, async () => {
      const leader = await this.#leader(undefined);
      const told = await leader?.call(quorumService.DescribeQuorum, {});
      return told === undefined || told.error !== null ? undefined : told;
    });
  }

  /** What the nodes wrote to stderr, for a test that failed. */
  get stderr(): string {
    return this.nodes.map(({ id, server }) => `--- node ${id}\n${server.stderr}`).join('');
  }

  async dispose(): Promise<void> {
    await Promise.all(this.#admins.map((admin) => admin.close()));
    await Promise.all(this.nodes.map((node) => node.dispose()));
    await rm(this.#directory, { recursive: true, force: true });
  }

  async #leader(except: ClusterNode | undefined): Promise<ClusterNode | undefined> {
    const asked = this.nodes.filter((node) => node !== except && node.server.isRunning);
    const answers = await Promise.allSettled(
      asked.map((node) => node.call(quorumService.DescribeQuorum, { timeoutMs: 500 }, 1_000)),
    );
    return asked.find(({ id }, at) => {
      const answer = answers[at]!;
      // Others answer, too, by asking the leader.
      return answer.status === 'fulfilled' && answer.value.error === null && answer.value.nodeId === id;
    });
  }

  #node(spec: NodeSpec, ports: NodePorts, shared: ClusterOptions, voters: string = this.voters): ClusterNode {
    const { id, roles = 'broker,controller', settings = {} } = spec;
    const server = new ServerProcess(join(this.#directory, `node-${id}`), {
      settings: {
        'cluster.id': 'test-cluster',
        'node.id': `${id}`,
        'process.roles': roles,
        'controller.quorum.voters': voters,
        listeners: `CLIENT://127.0.0.1:${ports.client},PEER://127.0.0.1:${ports.peer}`,
        ...shared.settings,
        ...settings,
      },
      nodeOptions: shared.nodeOptions ?? [],
    });
    return new ClusterNode(id, roles, ports, server, channelOf(shared));
  }
}

const channelOf = ({ credentials }: ClusterOptions): Pick<ClusterOptions, 'credentials'> =>
  credentials === undefined ? {} : { credentials };

/** Free a moment ago, and unlike each other. */
async function reservePorts(nodes: number): Promise<readonly NodePorts[]> {
  const held = await Promise.all(
    Array.from({ length: 2 * nodes }, async () => {
      const server = createServer();
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject).listen(0, '127.0.0.1', resolve);
      });
      return server;
    }),
  );
  const ports = held.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(held.map((server) => new Promise((resolve) => server.close(resolve))));
  return Array.from({ length: nodes }, (_, at) => ({ client: ports[2 * at]!, peer: ports[2 * at + 1]! }));
}

const isPortTaken = (error: unknown): boolean => String(error).includes('the port is in use');

/** A line about durations: `what: n=10 p50=... p99=... max=... ms`. */
export function figures(what: string, durationsMs: readonly number[]): string {
  const sorted = [...durationsMs].sort((a, b) => a - b);
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)]!;
  return `${what}: n=${sorted.length} p50=${at(0.5)} p99=${at(0.99)} max=${sorted.at(-1)!} ms`;
}
