// The command line itself: what is refused before anything is asked of a cluster, what help costs, and what completion offers.
import { expect } from 'chai';
import { CommanderError } from 'commander';
import { PassThrough } from 'node:stream';
import { Interruption, makeProgram, toCommandFailure } from '@tidemark/cli';
import { TidemarkError } from '@tidemark/core';

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly error: unknown;
}

async function run(...args: readonly string[]): Promise<Outcome> {
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const stdin = new PassThrough();
  stdin.end();
  let code = 0;
  let error: unknown;
  const program = makeProgram({
    io: { stdin, stdout, stderr, environment: {} },
    interruption: new Interruption(),
    setExitCode: (answered) => (code = answered),
  });
  try {
    await program.parseAsync(['node', 'tidemark', ...args]);
  } catch (thrown) {
    error = thrown;
    code =
      thrown instanceof CommanderError ? (thrown.exitCode === 0 ? 0 : 2) : toCommandFailure(thrown).exitCode;
  }
  const text = (stream: PassThrough): string => ((stream.read() as Buffer | null) ?? '').toString();
  return { code, stdout: text(stdout), stderr: text(stderr), error };
}

describe('the command line', () => {
  it('lists its commands, and hides the one for completion', async () => {
    const { code, stdout } = await run('--help');
    expect(code).to.equal(0);
    for (const command of [
      'server',
      'dev',
      'topic',
      'produce',
      'consume',
      'cluster',
      'group',
      'quorum',
      'debug',
      'log',
      'bench',
      'completion',
    ]) {
      expect(stdout).to.match(new RegExp(`^  ${command}\\b`, 'm'));
    }
    expect(stdout).not.to.include('__complete');
  });

  it('refuses wrong usage with exit code 2 and a sentence', async () => {
    const cases: readonly (readonly [readonly string[], RegExp])[] = [
      [['topics'], /unknown command 'topics'.*Did you mean topic/s],
      [['consume'], /missing required argument 'topic'/],
      [['consume', 'x', '--num', '0'], /--num must be a whole number of at least 1/],
      [['consume', 'x', '-o', 'xml'], /Allowed choices are jsonl, json, table/],
      [['produce', 'x', '--acks', '2'], /Allowed choices are all, 1, 0/],
      [['produce', 'x', '-z', 'rar'], /Allowed choices are none, gzip/],
      [['topic', 'add-partitions', 'x'], /required option '-n, --num <count>' not specified/],
      [['topic', 'list', '--timeout', 'soon'], /--timeout must be a duration/],
      [['quorum', 'remove-voter'], /missing required argument 'voter'/],
      [['quorum', 'add-voter', '--node', 'four'], /--node must be a whole number/],
      [['group', 'describe'], /missing required argument 'group'/],
      [['group', 'list', '--state', 'Idle'], /Allowed choices are Empty, PreparingRebalance/],
      [['bench', 'produce', '--size', 'big'], /--size must be a size in bytes/],
    ];
    for (const [args, words] of cases) {
      const { code, stderr } = await run(...args);
      expect(code, args.join(' ')).to.equal(2);
      expect(stderr, args.join(' ')).to.match(words);
    }
  });

  it('refuses contradictions before it asks a cluster', async () => {
    const cases: readonly (readonly [readonly string[], string])[] = [
      [['consume', 'x', '-f', '%v', '-o', 'json'], '--format and --output exclude each other'],
      [['consume', 'x', '-f', '%z'], 'no %z'],
      [['consume', 'x', '--from', 'middle'], '"middle" is not a position'],
      [['produce', 'x', '-f', '%k %v', '-k', 'k'], '--key and %k'],
      [['topic', 'alter', 'x'], 'nothing is to be changed'],
      [['topic', 'alter', 'x', '--set', 'a=1', '--unset', 'a'], 'both set and unset'],
      [['topic', 'create', 'x', '-c', 'retention'], 'not of the form name=value'],
      [['topic', 'delete', 'x'], 'Delete x and every record in it?'],
      [['bench', 'e2e', '--size', '4'], '--size must be at least 8'],
      [['quorum', 'add-voter'], 'no voter is named'],
      [['quorum', 'add-voter', '4:x@h:1', '--node', '4'], 'exclude each other'],
      [['quorum', 'add-voter', '4@h:1'], 'is not NODE_ID:DIRECTORY_ID@HOST:PORT'],
      [['quorum', 'remove-voter', 'node-4'], '"node-4" is not a node id'],
      [['quorum', 'transfer', '4:x'], '"4:x" is not a node id'],
      [['consume', 'x', 'y'], 'several topics without a group'],
      [['consume', 'x', '-g', 'g', '--from', '47'], 'the group says where it goes on'],
      [['consume', 'x', '-g', 'g', '-p', '1'], '--partition and -g exclude each other'],
      [['group', 'seek', 'g'], 'where to is not said'],
      [['group', 'seek', 'g', '--to', 'start', '--to-group', 'h'], 'exclude each other'],
      [['group', 'seek', 'g', '--to', 'middle'], '"middle" is not a position'],
      [['group', 'seek', 'g', '--to', 'end', '--topic', 'a:b'], 'neither TOPIC nor'],
      [['group', 'seek', 'g', '--to', 'end', '--dry-run', '--execute'], 'exclude each other'],
      [['group', 'clone', 'g', 'g'], 'cannot be cloned to itself'],
      [['group', 'delete', 'g'], 'Delete g and all committed offsets?'],
      [['produce', 'x', '--receipts', 'r.jsonl', '--acks', '0'], 'with acks=0 there are none'],
      [['produce', 'x', '--receipts', 'r.jsonl', '-X', 'acks=0'], 'with acks=0 there are none'],
      [['verify', '--receipts', '/nowhere/r.jsonl'], 'the receipts cannot be read'],
      [['log', 'dump', 'notes.txt'], 'notes.txt is none of .log'],
      [['topic', 'list', '-X', 'linger.mss=1'], 'no client has a setting of this name'],
    ];
    for (const [args, words] of cases) {
      const { error } = await run(...args);
      expect(error, args.join(' ')).to.include({ name: 'CommandFailure', exitCode: 2 });
      expect((error as Error).message, args.join(' ')).to.include(words);
    }
  });

  it('explains both formats without a topic or a cluster', async () => {
    for (const command of ['produce', 'consume']) {
      const { code, stdout } = await run(command, 'any', '--format', 'help');
      expect(code).to.equal(0);
      expect(stdout).to.include('%k key').and.include('%v value');
    }
  });
});

describe('completion', () => {
  const words = async (...typed: readonly string[]): Promise<string[]> => {
    const { stdout } = await run('__complete', '--', ...typed);
    return stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.split('\t')[0]!);
  };

  it('offers commands, subcommands and options, by what was typed', async () => {
    expect(await words('co')).to.deep.equal(['consume', 'completion']);
    expect(await words('topic', '')).to.include.members(['create', 'list', 'describe', 'alter', 'delete']);
    expect(await words('quorum', '')).to.deep.equal(['status', 'add-voter', 'remove-voter', 'transfer']);
    expect(await words('group', '')).to.deep.equal([
      'list',
      'describe',
      'lag',
      'explain',
      'seek',
      'clone',
      'delete',
    ]);
    expect(await words('consume', 'orders', '--fr')).to.deep.equal(['--from']);
    expect(await words('')).not.to.include('__complete');
  });

  it('offers the choices of an option and of an argument', async () => {
    expect(await words('produce', 'orders', '--compression', 's')).to.deep.equal(['snappy']);
    expect(await words('topic', 'list', '-o', '')).to.deep.equal(['table', 'wide', 'json', 'jsonl', 'yaml']);
    expect(await words('completion', '')).to.deep.equal(['bash', 'zsh', 'fish']);
  });

  it('says nothing after the last argument', async () => {
    expect(await words('completion', 'bash', '')).to.deep.equal([]);
  });

  it('prints a script for each shell', async () => {
    for (const shell of ['bash', 'zsh', 'fish']) {
      expect((await run('completion', shell)).stdout).to.include('tidemark __complete --');
    }
  });
});

describe('errors', () => {
  it('become exit codes and a next command', () => {
    const failure = (error: unknown) => toCommandFailure(error);
    expect(failure(new TidemarkError('UNKNOWN_TOPIC_OR_PARTITION'))).to.include({ exitCode: 4 });
    expect(failure(new TidemarkError('UNKNOWN_TOPIC_OR_PARTITION')).hint).to.include('topic create');
    expect(failure(new TidemarkError('LEADER_NOT_AVAILABLE')).hint).to.include('partition explain');
    for (const name of [
      'THROTTLING_QUOTA_EXCEEDED',
      'BROKER_ID_NOT_REGISTERED',
      'KAFKA_STORAGE_ERROR',
    ] as const) {
      expect(failure(new TidemarkError(name)).hint, name).to.match(/`tidemark /);
    }
    expect(failure(new TidemarkError('INVALID_TOPIC_EXCEPTION'))).to.include({ exitCode: 2 });
    expect(failure(new TidemarkError('REQUEST_TIMED_OUT'))).to.include({ exitCode: 1 });
    expect(failure(Object.assign(new Error('no file'), { code: 'ENOENT' }))).to.include({ exitCode: 4 });
    expect(failure(new Error('odd'))).to.include({ exitCode: 1, message: 'odd' });
  });
});
