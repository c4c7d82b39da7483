// The folder of a run: everything the run writes is below it, and it is removed with the process, however that ends, unless something
// in it is worth keeping. A signal ends the run at once: the servers are killed (start-server.ts), then the folder goes.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';

export class RunFolder {
  readonly path: string;
  readonly #mounts: string[] = [];
  #isKept = false;

  constructor() {
    this.path = mkdtempSync(join(tmpdir(), 'tidemark-chaos-'));
    // The folders of clusters go below.
    process.env['TMPDIR'] = this.path;
    process.on('exit', () => this.#remove());
  }

  /** False: there is nothing in it. */
  keep(): boolean {
    this.#isKept = readdirSync(this.path).length > 0;
    return this.#isKept;
  }

  /** Is unmounted before the folder is removed. */
  mounted(path: string): void {
    this.#mounts.push(path);
  }

  #remove(): void {
    for (const mount of this.#mounts) spawnSync('umount', ['-l', mount]);
    // Processes that were killed a moment ago may still hold files of it.
    if (!this.#isKept) rmSync(this.path, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  }
}

/** The last line of every run, however it ends: `say` gets it, and the exit code says the same. */
export function endsWithALine(say: (line: string) => void): void {
  const failed = (error: unknown): void => {
    if (error instanceof Error && error.stack !== undefined) process.stderr.write(`${error.stack}\n`);
    const [line] = (error instanceof Error ? error.message : String(error)).split('\n');
    say(`FAILED: error: ${line!}`);
    process.exit(1);
  };
  process.on('uncaughtException', failed);
  process.on('unhandledRejection', failed);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      say(`INTERRUPTED: ${signal}`);
      process.exit(128 + constants.signals[signal]);
    });
  }
}
