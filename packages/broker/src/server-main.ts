// What `tidemark server` runs: configuration, one broker, signals, exit code. It is the process boundary: the only place where a
// bug is caught, to be logged before the process ends.
//
// Exit codes: 0 after SIGTERM or SIGINT, during the start as well; 1 when it should not start or its disk failed; 70 (EX_SOFTWARE) for a bug.

import {
  brokerConfigs,
  describeProblems,
  DiskError,
  resolveConfig,
  TidemarkError,
  type BrokerConfig,
  type ConfigInputs,
} from '@tidemark/core';
import { createLogger } from './logger.ts';
import { startBroker, type RunningBroker } from './start-broker.ts';
import { StartupError } from './startup-error.ts';

export interface ServerOptions extends ConfigInputs {
  /** Prints one line of JSON on stdout once the node serves: node id, cluster id, addresses by listener. */
  readonly announce?: boolean;
}

const EXIT_REFUSED = 1;
const EXIT_BUG = 70;
const SIGNALS = { SIGTERM: 15, SIGINT: 2 } as const;

/** Runs until a signal; answers the exit code. Ends the process itself at a failure. Never throws. */
export async function runServer(options: ServerOptions): Promise<number> {
  const resolved = resolveConfig(brokerConfigs, options);
  if (!resolved.ok) return refuse(describeProblems(resolved.problems));
  const { config } = resolved;
  const log = createLogger(config.get('logging.level'), { node: config.get('node.id') });
  log.info({ settings: settingsGiven(config) }, 'configuration');
  const dying = (cause: unknown): never => {
    log.fatal({ err: cause }, 'a bug was met; the process ends');
    process.exit(EXIT_BUG);
  };
  process.on('uncaughtException', dying);
  process.on('unhandledRejection', dying);
  const stopped = signalled();
  let broker: RunningBroker;
  try {
    const starting = startBroker({ config, log });
    const first = await Promise.race([starting, stopped]);
    if (first === 'signal') {
      // It may be waiting for other nodes, for ever. It has served nobody; what it has on disk is as after any crash.
      log.info('stopped before it was ready');
      process.exit(0);
    }
    broker = first;
  } catch (thrown) {
    if (thrown instanceof StartupError) return refuse(thrown.message);
    if (thrown instanceof TidemarkError || thrown instanceof DiskError) return refuse(thrown.message);
    return dying(thrown);
  }
  const { nodeId, clusterId, addresses } = broker;
  log.info({ clusterId, addresses, startedInMs: Math.round(performance.now()) }, 'ready');
  if (options.announce === true) {
    process.stdout.write(`${JSON.stringify({ ready: true, nodeId, clusterId, addresses })}\n`);
  }
  const cause = await Promise.race([stopped, broker.failed]);
  if (cause !== 'signal') {
    // Nothing is flushed and nothing closed: after a failed fsync, and after a bug, what is in memory is not to be trusted.
    process.exit(cause instanceof DiskError || cause instanceof TidemarkError ? EXIT_REFUSED : EXIT_BUG);
  }
  log.info('shutting down');
  const closed = broker.close().then(
    () => undefined,
    (error: unknown) => ({ error }),
  );
  const outcome = await Promise.race([closed, broker.failed.then((error) => ({ error }))]);
  if (outcome !== undefined) {
    log.error({ err: outcome.error }, 'the shutdown was not clean; the next start checks the logs');
    return EXIT_REFUSED;
  }
  log.info('closed');
  return 0;
}

/** What is not as by default, and where it comes from. Secrets are hidden. */
function settingsGiven(config: BrokerConfig): Readonly<Record<string, string>> {
  const given = config.entries().filter(({ source }) => source.kind !== 'default');
  return Object.fromEntries(given.map(({ name, value, source }) => [name, `${value} (${source.where})`]));
}

function refuse(line: string): number {
  process.stderr.write(`tidemark: ${line}\n`);
  return EXIT_REFUSED;
}

/** Resolves at the first SIGTERM or SIGINT; the second one ends the process at once. */
function signalled(): Promise<'signal'> {
  return new Promise((resolve) => {
    let seen = false;
    for (const [name, number] of Object.entries(SIGNALS)) {
      process.on(name, () => {
        if (seen) process.exit(128 + number);
        seen = true;
        resolve('signal');
      });
    }
  });
}
