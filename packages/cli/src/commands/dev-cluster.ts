// `tidemark dev --brokers N`: N servers for trying out what a cluster does, each a process of its own that may be killed; one that
// ends is started again. Ports are ten apart, beginning at `--port`; the data of node k is in `<folder>/nk`.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import { write, type CommandContext } from '../command-context.ts';
import { CommandFailure } from '../exit.ts';
import { freePorts } from '../free-ports.ts';

type Addresses = Readonly<Record<string, string>>;

const PORTS_APART = 10;
const START_MS = 60_000;
/** So that a node that was killed is seen to be gone. */
const RESTART_MS = 2_000;

export interface DevClusterOptions {
  readonly brokers: number;
  readonly port: number;
  /** Absolute. */
  readonly data: string;
  readonly isKept: boolean;
}

class DevNode {
  readonly id: number;
  readonly #settings: readonly string[];
  #child: ChildProcess | undefined;
  #addresses: Addresses = {};

  constructor(id: number, settings: readonly string[]) {
    this.id = id;
    this.#settings = settings;
  }

  get pid(): number {
    return this.#child?.pid ?? -1;
  }

  get addresses(): Addresses {
    return this.#addresses;
  }

  /** Resolves when it serves; rejects when it ends before. */
  async start(): Promise<void> {
    const settings = this.#settings.flatMap((text) => ['--set', text]);
    const command = [...process.execArgv, process.argv[1]!, 'server', '--end-with-parent', ...settings];
    // A process group of its own: Ctrl-C reaches this command alone, which then ends its servers one way and once.
    const child = spawn(process.execPath, command, {
      detached: true,
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    });
    this.#child = child;
    const lines = createInterface({ input: child.stdout! });
    this.#addresses = await new Promise<Addresses>((resolve, reject) => {
      lines.once('line', (line) => resolve((JSON.parse(line) as { addresses: Addresses }).addresses));
      child.once('error', reject);
      child.once('exit', (code, signal) => {
        reject(new CommandFailure(`node ${this.id} ended with ${code ?? signal} before it was ready`));
      });
    });
  }

  /** Resolves with what it ended with. */
  async ended(): Promise<string> {
    const child = this.#child;
    if (child === undefined) return 'nothing';
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    return child.signalCode ?? `exit code ${child.exitCode}`;
  }

  async stop(): Promise<void> {
    this.#child?.kill('SIGTERM');
    await this.ended();
  }
}

/** Runs until it is interrupted. */
export async function runDevCluster(context: CommandContext, options: DevClusterOptions): Promise<undefined> {
  const { signal } = context.interruption;
  const nodes = await makeNodes(options);
  try {
    const started = Promise.all(nodes.map((node) => node.start())).then(() => 'started' as const);
    const late = setTimeout(START_MS, 'late' as const, { ref: false });
    const outcome = await Promise.race([started, late, aborted(signal)]);
    if (outcome === 'late') throw new CommandFailure(`the servers were not ready within ${START_MS} ms`);
    if (outcome === 'aborted') return undefined;
    await write(
      context.io.stdout,
      context.output === 'json' ? `${JSON.stringify(toJson(nodes, options))}\n` : greeting(nodes, options),
    );
    await Promise.race([aborted(signal), ...nodes.map((node) => keep(context, node, signal))]);
  } finally {
    await Promise.all(nodes.map((node) => node.stop()));
  }
  return undefined;
}

/** Starts the node again whenever it ends, until there is an end of it all; rejects when it cannot be started. */
async function keep(context: CommandContext, node: DevNode, signal: AbortSignal): Promise<never> {
  const never = new Promise<never>(() => undefined);
  for (;;) {
    const { pid } = node;
    const how = await Promise.race([node.ended(), aborted(signal)]);
    if (how === 'aborted') return never;
    context.io.stderr.write(`node ${node.id} (pid ${pid}) ended with ${how}; it is started again\n`);
    if ((await Promise.race([setTimeout(RESTART_MS), aborted(signal)])) === 'aborted') return never;
    await node.start();
    context.io.stderr.write(`node ${node.id} serves again (pid ${node.pid})\n`);
  }
}

function aborted(signal: AbortSignal): Promise<'aborted'> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve('aborted');
    signal.addEventListener('abort', () => resolve('aborted'), { once: true });
  });
}

async function makeNodes({ brokers, port, data }: DevClusterOptions): Promise<readonly DevNode[]> {
  const ids = Array.from({ length: brokers }, (_, at) => at + 1);
  const free = port === 0 ? await freePorts(3 * brokers) : undefined;
  const portOf = (id: number, above: number): number =>
    free?.[3 * (id - 1) + above] ?? port + PORTS_APART * (id - 1) + above;
  // Three voters, or the largest odd number there is: more only make decisions slower.
  const voterCount = Math.min(3, brokers % 2 === 0 ? brokers - 1 : brokers);
  const voters = ids.slice(0, voterCount).map((id) => `${id}@127.0.0.1:${portOf(id, 1)}`);
  return ids.map((id) => {
    const listeners = ['CLIENT', 'PEER', 'HTTP'].map((name, at) => `${name}://127.0.0.1:${portOf(id, at)}`);
    return new DevNode(id, [
      `node.id=${id}`,
      'cluster.id=dev',
      `process.roles=${id <= voterCount ? 'broker,controller' : 'broker'}`,
      `controller.quorum.voters=${voters.join(',')}`,
      `listeners=${listeners.join(',')}`,
      `log.dirs=${join(data, `n${id}`)}`,
      'logging.level=error',
    ]);
  });
}

function toJson(nodes: readonly DevNode[], { data }: DevClusterOptions): object {
  return {
    ready: true,
    nodes: nodes.map(({ id, pid, addresses }) => ({ id, pid, addresses })),
    data,
  };
}

function greeting(nodes: readonly DevNode[], { data, isKept }: DevClusterOptions): string {
  const rows = nodes.map(({ id, pid, addresses: { CLIENT = '-', HTTP = '-' } }) => {
    return `  ${String(id).padStart(4)}  ${CLIENT.padEnd(16)}  http://${`${HTTP}/metrics`.padEnd(24)}  ${pid}`;
  });
  const brokers = nodes.map(({ addresses }) => addresses['CLIENT']).join(',');
  return `Tidemark runs with ${nodes.length} nodes.

  NODE  CLIENTS           METRICS                          PID
${rows.join('\n')}

  data  ${data}${isKept ? '' : '  (removed at the end; keep it with --dir)'}

Try, in another terminal:

  export TIDEMARK_BROKERS=${brokers}
  tidemark topic create orders -p 6 -r ${Math.min(3, nodes.length)}
  tidemark cluster health -w
  kill -9 ${nodes.at(-1)!.pid}        # a node that ends is started again after ${RESTART_MS / 1_000} s

Ctrl-C ends it.
`;
}
