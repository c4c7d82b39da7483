// `tidemark dev`: one server for trying things out; several are in `dev-cluster.ts`. The port is the default one, so that every other command finds it without flags;
// the data is in a temporary folder that goes away at the end, or in `--dir` and stays.
import { startBroker, StartupError } from '@tidemark/broker';
import { brokerConfigs, describeProblems, resolveConfig } from '@tidemark/core';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { write, type CommandContext } from '../command-context.ts';
import { CommandFailure, usageFailure } from '../exit.ts';
import { parseCount } from '../output/quantity.ts';
import { runDevCluster } from './dev-cluster.ts';

interface DevOptions {
  readonly brokers: string;
  readonly dir?: string;
  readonly port: number;
}

/** On one machine, for trying things out. */
const MAX_NODES = 9;

/** Peer and metrics listeners are the two ports above, as with the default settings. */
function devListeners(port: number): string {
  const above = (distance: number): number => (port === 0 ? 0 : port + distance);
  return `CLIENT://127.0.0.1:${port},PEER://127.0.0.1:${above(1)},HTTP://127.0.0.1:${above(2)}`;
}

function greeting(address: string, http: string | undefined, data: string, kept: boolean): string {
  const flag = address === '127.0.0.1:9290' ? '' : ` --brokers ${address}`;
  return `Tidemark is running.

  clients   ${address}
  metrics   ${http === undefined ? '-' : `http://${http}/metrics`}
  data      ${data}${kept ? '' : '  (removed at the end; keep it with --dir)'}

Try, in another terminal:

  tidemark topic create orders -p 3${flag}
  printf 'a\\t1\\nb\\t2\\n' | tidemark produce orders -f '%k\\t%v\\n'${flag}
  tidemark consume orders --from start -e${flag}

Ctrl-C ends it.
`;
}

export async function runDev(
  context: CommandContext,
  _args: readonly string[],
  { dir, port, brokers }: DevOptions,
): Promise<number | undefined> {
  const count = parseCount(brokers, '--brokers', 1);
  if (count > MAX_NODES) throw usageFailure(`--brokers is at most ${MAX_NODES}`);
  const data = dir === undefined ? await mkdtemp(join(tmpdir(), 'tidemark-dev-')) : resolve(dir);
  if (count > 1) {
    try {
      await runDevCluster(context, { brokers: count, port, data, isKept: dir !== undefined });
      return undefined;
    } finally {
      if (dir === undefined) await rm(data, { recursive: true, force: true });
    }
  }
  const resolved = resolveConfig(brokerConfigs, {
    flags: { listeners: devListeners(port), 'log.dirs': data, 'logging.level': 'warn' },
  });
  if (!resolved.ok) throw new CommandFailure(describeProblems(resolved.problems));
  const { signal } = context.interruption;
  try {
    const broker = await startBroker({ config: resolved.config }).catch((error: unknown) => {
      if (!(error instanceof StartupError)) throw error;
      throw new CommandFailure(error.message, {
        hint: 'choose another port with --port, or any free one with --port 0',
      });
    });
    const { CLIENT: address, HTTP: http } = broker.addresses;
    await write(
      context.io.stdout,
      context.output === 'json'
        ? `${JSON.stringify({ ready: true, addresses: broker.addresses, data })}\n`
        : greeting(address!, http, data, dir !== undefined),
    );
    const stopped = new Promise<undefined>((done) => {
      if (signal.aborted) done(undefined);
      signal.addEventListener('abort', () => done(undefined), { once: true });
    });
    const cause: unknown = await Promise.race([stopped, broker.failed]);
    await broker.close();
    if (cause !== undefined) throw new CommandFailure('the server failed', { cause });
  } finally {
    if (dir === undefined) await rm(data, { recursive: true, force: true });
  }
  return undefined;
}
