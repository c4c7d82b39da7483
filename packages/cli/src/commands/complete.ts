// What can come next on a command line: subcommands, options, the choices of an option, names of topics, ids of nodes. Words arrive as the
// shell has them, the one being typed last (perhaps empty). One candidate a line, its explanation after a tab.
import type { Admin } from '@tidemark/client';
import type { Command, Option } from 'commander';
import { DEFAULT_BROKERS, parseBrokers, write, type CommandContext } from '../command-context.ts';
import type { ExitCode } from '../exit.ts';

interface Candidate {
  readonly word: string;
  readonly about?: string;
}

/** What the words before the one being typed have decided. */
interface Position {
  readonly command: Command;
  /** The option whose value is being typed. */
  readonly option: Option | undefined;
  /** How many positional arguments are complete. */
  readonly given: number;
  /** `--brokers`, if it was given. */
  readonly brokers: string | undefined;
}

function findOption(command: Command, word: string): Option | undefined {
  const name = word.split('=')[0];
  return command.options.find((option) => option.long === name || option.short === name);
}

function locate(program: Command, words: readonly string[]): Position {
  let command = program;
  let option: Option | undefined;
  let given = 0;
  let brokers: string | undefined;
  for (const word of words) {
    if (option !== undefined) {
      if (option.long === '--brokers') brokers = word;
      option = undefined;
    } else if (word.startsWith('-')) {
      const found = findOption(command, word);
      if (found?.long === '--brokers' && word.includes('=')) brokers = word.slice(word.indexOf('=') + 1);
      if (found?.required === true && !word.includes('=')) option = found;
    } else {
      const next = command.commands.find((child) => child.name() === word || child.aliases().includes(word));
      if (next === undefined) given++;
      else command = next;
    }
  }
  return { command, option, given, brokers };
}

function visible(commands: readonly Command[]): readonly Candidate[] {
  return commands
    .filter((child) => !child.name().startsWith('__'))
    .map((child) => ({ word: child.name(), about: child.description() }));
}

function optionsOf(command: Command): readonly Candidate[] {
  return [
    ...command.options
      .filter((option) => !option.hidden && option.long != null)
      .map((option) => ({ word: option.long!, about: option.description })),
    { word: '--help', about: 'explain a command' },
  ];
}

const LOOK_TIMEOUT_MS = 1_000;

/** What the cluster has. */
async function named(
  context: CommandContext,
  brokers: string | undefined,
  look: (admin: Admin) => Promise<readonly Candidate[]>,
): Promise<readonly Candidate[]> {
  const { withAdmin } = await import('../cluster-access.ts');
  const settings = {
    ...context.cluster,
    brokers: parseBrokers(brokers ?? context.io.environment['TIDEMARK_BROKERS'] ?? DEFAULT_BROKERS),
    timeoutMs: LOOK_TIMEOUT_MS,
  };
  try {
    return await withAdmin(settings, look);
  } catch {
    // A shell that waits for Tab shows nothing rather than an error; `tidemark topic list` says what is wrong.
    return [];
  }
}

async function topicNames(admin: Admin): Promise<readonly Candidate[]> {
  return (await admin.listTopics()).map(({ name }) => ({ word: name }));
}

async function groupIds(admin: Admin): Promise<readonly Candidate[]> {
  return (await admin.listGroups()).groups.map(({ groupId, state }) => ({ word: groupId, about: state }));
}

const replicaIds =
  (kind: 'voters' | 'observers') =>
  async (admin: Admin): Promise<readonly Candidate[]> => {
    const quorum = await admin.describeQuorum();
    const about = ({ nodeId }: { nodeId: number }): string => (nodeId === quorum.leaderId ? 'leader' : '');
    return quorum[kind].map((each) => ({ word: String(each.nodeId), about: about(each) }));
  };

/** By what an argument or an option is called. */
const lookups: Readonly<Record<string, (admin: Admin) => Promise<readonly Candidate[]>>> = {
  topic: topicNames,
  '--topic': topicNames,
  group: groupIds,
  '--group': groupIds,
  '--to-group': groupIds,
  voter: replicaIds('voters'),
  '--node': replicaIds('observers'),
};

async function candidates(
  context: CommandContext,
  program: Command,
  words: readonly string[],
): Promise<readonly Candidate[]> {
  const current = words.at(-1) ?? '';
  const position = locate(program, words.slice(0, -1));
  const { command, option } = position;
  if (option !== undefined) {
    const look = lookups[option.long ?? ''];
    if (look !== undefined) return named(context, position.brokers, look);
    return (option.argChoices ?? []).map((word) => ({ word }));
  }
  if (current.startsWith('-')) return optionsOf(command);
  if (command.commands.length > 0) return visible(command.commands);
  const declared = command.registeredArguments;
  const argument =
    declared[position.given] ?? (declared.at(-1)?.variadic === true ? declared.at(-1) : undefined);
  if (argument === undefined) return [];
  const look = lookups[argument.name()];
  if (look !== undefined) return named(context, position.brokers, look);
  return (argument.argChoices ?? []).map((word) => ({ word }));
}

export async function complete(
  context: CommandContext,
  words: readonly string[],
  program: Command,
): Promise<ExitCode | undefined> {
  const typed = words.at(-1) ?? '';
  const found = (await candidates(context, program, words)).filter(({ word }) => word.startsWith(typed));
  await write(
    context.io.stdout,
    found
      .map(({ word, about }) => `${about === undefined || about === '' ? word : `${word}\t${about}`}\n`)
      .join(''),
  );
  return undefined;
}
