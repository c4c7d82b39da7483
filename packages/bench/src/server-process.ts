// One `tidemark server` of its own, ready when `start` resolves, ended by pid.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export const CLI = fileURLToPath(new URL('../../cli/dist/main.js', import.meta.url));
const START_MS = 30_000;
const STOP_MS = 30_000;

/** The line `tidemark server` prints when it serves: `{"ready":true,"addresses":{"CLIENT":"127.0.0.1:41234"}}`. */
function clientAddress(line: string): string | undefined {
  if (!line.startsWith('{')) return undefined;
  const ready = JSON.parse(line) as { readonly addresses?: { readonly CLIENT?: string } };
  return ready.addresses?.CLIENT;
}

export class ServerProcess {
  readonly #child: ChildProcess;
  /** Where clients reach it; rejects when it is not ready in time or ends before. */
  readonly address: Promise<string>;

  constructor(settings: readonly string[]) {
    this.#child = spawn(process.execPath, [CLI, 'server', ...settings.flatMap((text) => ['--set', text])], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.address = this.#untilReady();
    // Awaited by who starts it; until then a failure is nobody's surprise.
    this.address.catch(() => undefined);
  }

  get pid(): number {
    return this.#child.pid!;
  }

  async stop(): Promise<void> {
    const child = this.#child;
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    const kill = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    await ended;
    clearTimeout(kill);
  }

  #untilReady(): Promise<string> {
    const child = this.#child;
    let errors = '';
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      errors = (errors + text).slice(-4_096);
    });
    return new Promise((resolve, reject) => {
      const limit = setTimeout(() => {
        reject(new Error(`the server was not ready within ${START_MS / 1_000} s: ${errors}`));
      }, START_MS);
      const settle = (action: () => void): void => {
        clearTimeout(limit);
        action();
      };
      child.on('error', (error) => settle(() => reject(error)));
      child.on('exit', (code) => settle(() => reject(new Error(`the server ended with ${code}: ${errors}`))));
      createInterface({ input: child.stdout! }).on('line', (line) => {
        const address = clientAddress(line);
        if (address !== undefined) settle(() => resolve(address));
      });
    });
  }
}
