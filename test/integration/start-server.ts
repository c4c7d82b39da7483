// Real processes for integration tests: `tidemark server` on ports the system chooses, with a folder of its own, and `tidemark` as a
// user types it. Tests run what was built (`packages/cli/dist`). What is started here is ended here, by pid.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export const CLI = fileURLToPath(new URL('../../packages/cli/dist/main.js', import.meta.url));

export interface ServerOptions {
  /** Broker configs by name. `listeners` and `log.dirs` are given already. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Options of Node itself, such as `--cpu-prof`. */
  readonly nodeOptions?: readonly string[];
}

export interface Listeners {
  /** `host:port` each. */
  readonly CLIENT: string;
  readonly PEER?: string;
  readonly HTTP?: string;
}

/** A line of the server's log. */
export interface LogLine {
  readonly level: string;
  readonly time: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** Servers that run, so that none outlives these tests, however they end. */
const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

export class ServerProcess {
  /** Holds the node's data; removed by `dispose`. */
  readonly directory: string;
  readonly #settings: Readonly<Record<string, string>>;
  readonly #nodeOptions: readonly string[];
  #process: ChildProcess | undefined;
  #listeners: Listeners | undefined;
  #stderr = '';
  #log: LogLine[] = [];

  constructor(directory: string, options: ServerOptions) {
    this.directory = directory;
    this.#settings = options.settings ?? {};
    this.#nodeOptions = options.nodeOptions ?? [];
  }

  get dataDirectory(): string {
    return join(this.directory, 'data');
  }

  /** Where the server listens, or listened before it was killed. */
  get listeners(): Listeners {
    if (this.#listeners === undefined) throw new Error('the server has not been started');
    return this.#listeners;
  }

  /** For `--brokers`. */
  get address(): string {
    return this.listeners.CLIENT;
  }

  get pid(): number {
    const pid = this.#process?.pid;
    if (pid === undefined) throw new Error('the server is not running');
    return pid;
  }

  get isRunning(): boolean {
    const child = this.#process;
    return child !== undefined && child.exitCode === null && child.signalCode === null;
  }

  /** The last of what it wrote to stderr, for the message of a failing test. */
  get stderr(): string {
    return this.#stderr;
  }

  /** What it has logged, over all its lives. */
  get log(): readonly LogLine[] {
    return this.#log;
  }

  /** Resolves when it serves. After a kill it comes back on the same ports. */
  async start(): Promise<void> {
    const address = (name: keyof Listeners): string => this.#listeners?.[name] ?? '127.0.0.1:0';
    const settings = {
      listeners: `CLIENT://${address('CLIENT')},PEER://${address('PEER')},HTTP://${address('HTTP')}`,
      'log.dirs': this.dataDirectory,
      ...this.#settings,
    };
    const flags = Object.entries(settings).flatMap(([name, value]) => ['--set', `${name}=${value}`]);
    await mkdir(this.directory, { recursive: true });
    const child = spawn(process.execPath, [...this.#nodeOptions, CLI, 'server', ...flags], {
      stdio: ['ignore', 'pipe', 'pipe'],
      cwd: this.directory,
      env: cleanEnvironment(),
    });
    this.#process = child;
    running.add(child);
    child.on('exit', () => running.delete(child));
    createInterface({ input: child.stderr }).on('line', (line) => {
      this.#stderr = `${this.#stderr}${line}\n`.slice(-16_384);
      if (/^\{.*\}$/.test(line)) this.#log.push(JSON.parse(line) as LogLine);
    });
    const listeners = await new Promise<Listeners>((resolve, reject) => {
      createInterface({ input: child.stdout }).on('line', (line) => {
        if (line.startsWith('{')) resolve((JSON.parse(line) as { addresses: Listeners }).addresses);
      });
      child.on('error', reject);
      // Only then all it said has been read.
      child.on('close', (code, signal) => {
        reject(new Error(`the server ended with ${code ?? signal} before it was ready:\n${this.#stderr}`));
      });
    });
    this.#listeners = listeners;
  }

  /** `tidemark ARGS --brokers ...`. */
  cli(args: readonly string[], input?: string | Uint8Array): Promise<CommandResult> {
    return runCommand([...args, '--brokers', this.address], input === undefined ? {} : { input });
  }

  /** The process stands still as if its machine did, until `resume`. */
  freeze(): void {
    this.#process!.kill('SIGSTOP');
  }

  resume(): void {
    this.#process!.kill('SIGCONT');
  }

  /** SIGTERM; answers the exit code of the clean shutdown. */
  async stop(): Promise<number | null> {
    return this.#end('SIGTERM');
  }

  /** SIGKILL: what was not on disk is gone. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** Ends the server if it runs, and removes its folder. */
  async dispose(): Promise<void> {
    await this.#end('SIGKILL');
    await rm(this.directory, { recursive: true, force: true });
  }

  async #end(signal: NodeJS.Signals): Promise<number | null> {
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined) return null;
    if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
    const ended = once(child, 'close');
    child.kill(signal);
    await ended;
    return child.exitCode;
  }
}

/** A server that serves. The caller ends it with `dispose`. */
export async function startServer(options: ServerOptions = {}): Promise<ServerProcess> {
  const directory = await mkdtemp(join(tmpdir(), 'tidemark-test-'));
  const server = new ServerProcess(directory, options);
  try {
    await server.start();
  } catch (error) {
    await server.dispose();
    throw error;
  }
  return server;
}

/** Settings of the developer's shell must not reach the processes under test. */
export function cleanEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !/^TIDEMARK_|^NODE_OPTIONS$/.test(name));
  return Object.fromEntries(kept);
}

export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunningCommand {
  readonly process: ChildProcess;
  readonly result: Promise<CommandResult>;
}

/** `tidemark ARGS...`, with `input` on its standard input (none means that there is nothing to read). */
export function startCommand(
  args: readonly string[],
  options: {
    readonly input?: string | Uint8Array;
    /** Its standard input stays open for the test to write to. */
    readonly interactive?: boolean;
    readonly environment?: Readonly<Record<string, string>>;
  } = {},
): RunningCommand {
  const { input, interactive = false } = options;
  const child = spawn(process.execPath, [CLI, ...args], {
    stdio: [input === undefined && !interactive ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    env: { ...cleanEnvironment(), ...options.environment },
  });
  const out: Buffer[] = [];
  const errors: Buffer[] = [];
  child.stdout!.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr!.on('data', (chunk: Buffer) => errors.push(chunk));
  if (input !== undefined) {
    // A command that ends before it has read everything closes the pipe; its exit code tells the story.
    child.stdin!.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
    });
    child.stdin!.end(input);
  }
  const result = new Promise<CommandResult>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) =>
      resolve({ code, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(errors).toString() }),
    );
  });
  return { process: child, result };
}

export function runCommand(...parameters: Parameters<typeof startCommand>): Promise<CommandResult> {
  return startCommand(...parameters).result;
}
