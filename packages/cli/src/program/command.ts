// How a command is declared: the options every one of them has, and an action that loads the code only when it is run. That is
// what keeps `tidemark --help` and `tidemark server` from paying for the rest.
import { InvalidArgumentError, Option, type Command } from 'commander';
import {
  DEFAULT_BROKERS,
  DEFAULT_TIMEOUT_MS,
  parseAssignments,
  parseBrokers,
  type CommandContext,
  type CommandIo,
  type CommandRun,
} from '../command-context.ts';
import { CommandFailure } from '../exit.ts';
import { commandConfig, tlsSettings } from '../command-config.ts';
import type { Interruption } from '../interruption.ts';
import { parseBytes, parseCount, parseDurationMs } from '../output/quantity.ts';
import { outputFormats, type OutputFormat } from '../output/report.ts';

/** The process as the program sees it. */
export interface Host {
  readonly io: CommandIo;
  readonly interruption: Interruption;
  setExitCode(code: number): void;
}

export const collect = (value: string, previous: readonly string[] | undefined): readonly string[] => [
  ...(previous ?? []),
  value,
];

/** Turns a parser's usage failure into commander's, which names the option. */
function asArgument<T>(parse: (text: string) => T): (text: string) => T {
  return (text) => {
    try {
      return parse(text);
    } catch (error) {
      if (error instanceof CommandFailure) throw new InvalidArgumentError(`${error.message}.`);
      throw error;
    }
  };
}

export const countArgument = (what: string, minimum = 0): ((text: string) => number) =>
  asArgument((text) => parseCount(text, what, minimum));
export const bytesArgument = (what: string): ((text: string) => number) =>
  asArgument((text) => parseBytes(text, what));
export const durationArgument = (what: string): ((text: string) => number) =>
  asArgument((text) => parseDurationMs(text, what));

interface SharedOptions {
  readonly brokers?: string;
  readonly timeout?: number;
  readonly output?: OutputFormat;
  readonly progress?: boolean;
  readonly clientConfig?: readonly string[];
  readonly commandConfig?: string;
  readonly tlsCa?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
}

/** `-o`, on every command. */
export function withOutput(command: Command, formats: readonly OutputFormat[] = outputFormats): Command {
  return command.addOption(new Option('-o, --output <format>', 'how to print the result').choices(formats));
}

/** What every command has that talks to a cluster. */
export function withCluster(command: Command, formats: readonly OutputFormat[] = outputFormats): Command {
  return withOutput(command, formats)
    .option('--brokers <host:port,...>', `where to begin (env TIDEMARK_BROKERS, default ${DEFAULT_BROKERS})`)
    .option(
      '--timeout <duration>',
      'for one request, e.g. 500ms or 10s (default: 30s, none where nobody listens)',
      durationArgument('--timeout'),
    )
    .option(
      '-X, --client-config <name=value>',
      'a client setting by its Kafka name; repeat for more',
      collect,
    )
    .option(
      '--command-config <file>',
      'client settings from a properties file, as Kafka’s tools take it (env TIDEMARK_COMMAND_CONFIG)',
    )
    .option('--tls-ca <file>', 'speak TLS; trust the authorities in this PEM file')
    .option('--tls-cert <file>', 'speak TLS; show the certificate in this PEM file')
    .option('--tls-key <file>', 'its private key, where it is in a file of its own');
}

/** Every option given on the way to the command; the nearest wins. */
function allOptions(command: Command): object {
  const path: Command[] = [];
  for (let at: Command | null = command; at !== null; at = at.parent) path.unshift(at);
  return Object.assign({}, ...path.map((at) => at.opts())) as object;
}

/** The nearest wins: `-X`, then the TLS options, then the file. */
function clientSettings(host: Host, options: SharedOptions): Readonly<Record<string, string>> {
  const file = commandConfig(options.commandConfig ?? host.io.environment['TIDEMARK_COMMAND_CONFIG']);
  return {
    ...file,
    ...tlsSettings(options, file),
    ...parseAssignments(options.clientConfig ?? []),
  };
}

export function makeContext(host: Host, options: SharedOptions): CommandContext {
  return {
    io: host.io,
    interruption: host.interruption,
    output: options.output,
    progress: options.progress ?? false,
    cluster: {
      brokers: parseBrokers(options.brokers ?? host.io.environment['TIDEMARK_BROKERS'] ?? DEFAULT_BROKERS),
      timeoutMs: options.timeout ?? DEFAULT_TIMEOUT_MS,
      patient: options.timeout !== undefined,
      clientConfig: clientSettings(host, options),
    },
  };
}

/** Sets the action. `load` imports the module that does the work. */
export function runs<Options extends object>(
  host: Host,
  command: Command,
  load: () => Promise<CommandRun<Options>>,
): Command {
  return command.action(async () => {
    const options = allOptions(command) as Options & SharedOptions;
    const context = makeContext(host, options);
    const run = await load();
    host.setExitCode((await run(context, command.args, options)) ?? 0);
  });
}
