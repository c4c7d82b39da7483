// `tidemark server`: the broker's own entry. It handles signals, logs and exit codes itself; here its inputs are gathered.
import { runServer as run } from '@tidemark/broker';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { parseAssignments, type CommandContext } from '../command-context.ts';

interface ServerOptions {
  readonly config?: string;
  readonly set?: readonly string[];
}

/** Variables with the prefix of the settings that belong to the command itself. */
export const COMMAND_VARIABLES = ['TIDEMARK_BROKERS', 'TIDEMARK_COMMAND_CONFIG', 'TIDEMARK_DEBUG'] as const;

export async function runServer(
  { io }: CommandContext,
  _args: readonly string[],
  { config, set }: ServerOptions,
): Promise<number> {
  return run({
    ...(config === undefined ? {} : { file: await readFile(config, 'utf8'), fileName: config }),
    environment: io.environment,
    ignoredVariables: COMMAND_VARIABLES,
    flags: parseAssignments(set ?? []),
    readSecretFile: (path) => readFileSync(path, 'utf8'),
    announce: true,
  });
}
