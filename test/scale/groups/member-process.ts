// A member as its parent sees it.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('./member.ts', import.meta.url));

export interface MemberOptions {
  readonly addresses: readonly string[];
  readonly groupId: string;
  readonly topic: string;
  readonly strategy: string;
  readonly msPerRecord: number;
  readonly sessionTimeoutMs: number;
  readonly name: string;
  readonly onLine: (member: MemberProcess, kind: string, rest: readonly string[]) => void;
}

export class MemberProcess {
  readonly name: string;
  readonly #child: ChildProcess;
  /** Partitions it says it has. */
  readonly owned = new Set<number>();

  constructor(options: MemberOptions) {
    const { addresses, groupId, topic, strategy, msPerRecord, sessionTimeoutMs, name, onLine } = options;
    this.name = name;
    this.#child = spawn(
      process.execPath,
      [
        ...['--import', 'tsx', PROGRAM, addresses.join(','), groupId, topic, strategy],
        ...[`${msPerRecord}`, `${sessionTimeoutMs}`, name],
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    createInterface({ input: this.#child.stdout! }).on('line', (line) => {
      const [kind, ...rest] = line.split(' ');
      const partitions = (rest[0] ?? '').split(',').filter((text) => text !== '');
      if (kind === 'a') for (const text of partitions) this.owned.add(Number(text));
      if (kind === 'r' || kind === 'l') for (const text of partitions) this.owned.delete(Number(text));
      onLine(this, kind!, rest);
    });
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    if (!this.isRunning) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill(signal);
    await ended;
  }
}
