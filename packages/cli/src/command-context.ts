// What a command is given: its streams, its settings after flag > environment > default, and the interruption. A command never
// touches `process`; so a test may run it with streams of its own.
import type { Readable, Writable } from 'node:stream';
import { usageFailure } from './exit.ts';
import type { Interruption } from './interruption.ts';
import type { OutputFormat } from './output/report.ts';

export interface CommandIo {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: Writable & { readonly isTTY?: boolean; readonly rows?: number };
  readonly stderr: Writable & { readonly isTTY?: boolean };
  readonly environment: Readonly<Record<string, string | undefined>>;
}

export interface ClusterSettings {
  /** `host:port` of at least one broker to begin with. */
  readonly brokers: readonly string[];
  /** For one request of an administrative command. */
  readonly timeoutMs: number;
  /** The time was given: use it up before giving up, also where nobody listens yet. */
  readonly patient: boolean;
  /** `-X name=value`, by Kafka's names; the client checks them. */
  readonly clientConfig: Readonly<Record<string, string>>;
}

export interface CommandContext {
  readonly io: CommandIo;
  readonly cluster: ClusterSettings;
  /** What `-o` said; undefined leaves the choice to the command. */
  readonly output: OutputFormat | undefined;
  /** `--progress`: show progress although stderr is no terminal. */
  readonly progress: boolean;
  readonly interruption: Interruption;
}

/** One command's work. Answers an exit code, or nothing for 0. */
export type CommandRun<Options> = (
  context: CommandContext,
  args: readonly string[],
  options: Options,
) => Promise<number | undefined>;

export const DEFAULT_BROKERS = '127.0.0.1:9290';
export const DEFAULT_TIMEOUT_MS = 30_000;

/** Commas or blanks separate. A missing port is 9290. */
export function parseBrokers(text: string): readonly string[] {
  const brokers = text
    .split(/[\s,]+/)
    .filter((broker) => broker !== '')
    .map((broker) => (/:\d+$/.test(broker) ? broker : `${broker}:9290`));
  if (brokers.length === 0)
    throw usageFailure('no broker is named', 'give --brokers HOST:PORT[,HOST:PORT...]');
  return brokers;
}

/** `name=value`; the value may hold further equals signs and may be empty. */
export function parseAssignment(text: string): readonly [name: string, value: string] {
  const at = text.indexOf('=');
  if (at < 1) throw usageFailure(`"${text}" is not of the form name=value`);
  return [text.slice(0, at).trim(), text.slice(at + 1)];
}

export function parseAssignments(texts: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(texts.map(parseAssignment));
}

/** Writes and waits while the reader is slower. Answers false when nobody reads any more. */
export async function write(stream: Writable, chunk: string | Uint8Array): Promise<boolean> {
  if (stream.destroyed || stream.errored !== null) return false;
  if (!stream.write(chunk)) {
    await new Promise<void>((resolve) => {
      const done = (): void => {
        stream.off('drain', done).off('close', done).off('error', done);
        resolve();
      };
      stream.on('drain', done).on('close', done).on('error', done);
    });
  }
  // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition -- both change while the write waits
  return !stream.destroyed && stream.errored === null;
}
