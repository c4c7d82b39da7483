// `tidemark server`: the broker's own entry. It handles signals, logs and exit codes itself; here its inputs are gathered.
import { runServer as run } from '@tidemark/broker';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { brokerConfigs, describeProblems, resolveConfig, type ConfigInputs } from '@tidemark/core';
import { parseAssignments, write, type CommandContext } from '../command-context.ts';
import { CommandFailure } from '../exit.ts';
import { renderList, type Column } from '../output/report.ts';

interface ServerOptions {
  readonly config?: string;
  readonly set?: readonly string[];
  readonly endWithParent?: boolean;
  readonly printConfig?: boolean;
}

/** Variables with the prefix of the settings that belong to the command itself. */
export const COMMAND_VARIABLES = ['TIDEMARK_BROKERS', 'TIDEMARK_COMMAND_CONFIG', 'TIDEMARK_DEBUG'] as const;

export async function runServer(
  context: CommandContext,
  _args: readonly string[],
  { config, set, endWithParent = false, printConfig = false }: ServerOptions,
): Promise<number | undefined> {
  // However the command ended that started this one: a kill leaves nothing behind.
  if (endWithParent) process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
  const inputs: ConfigInputs = {
    ...(config === undefined ? {} : { file: await readFile(config, 'utf8'), fileName: config }),
    environment: context.io.environment,
    ignoredVariables: COMMAND_VARIABLES,
    flags: parseAssignments(set ?? []),
    readSecretFile: (path) => readFileSync(path, 'utf8'),
  };
  if (printConfig) return printEffective(context, inputs);
  return run({ ...inputs, announce: true });
}

interface EffectiveSetting {
  readonly name: string;
  /** Secrets are hidden. */
  readonly value: string;
  readonly source: string;
}

const columns: readonly Column<EffectiveSetting>[] = [
  { header: 'name', cell: ({ name }) => name },
  { header: 'value', cell: ({ value }) => (value === '' ? '-' : value) },
  { header: 'source', cell: ({ source }) => source },
];

/** Refuses what the server would refuse, in the same words. */
async function printEffective(context: CommandContext, inputs: ConfigInputs): Promise<undefined> {
  const resolved = resolveConfig(brokerConfigs, inputs);
  if (!resolved.ok) throw new CommandFailure(describeProblems(resolved.problems));
  const settings = resolved.config
    .entries()
    .map(({ name, value, source }) => ({ name, value, source: source.where }));
  await write(context.io.stdout, renderList(context.output ?? 'table', settings, columns));
  return undefined;
}
