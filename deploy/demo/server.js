// A node of the demo's cluster: a real `tidemark server` process in a folder of its own, on ports the system chose. Killed and
// started again it keeps both.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { clearTimeout, setTimeout } from 'node:timers';
import { fileURLToPath } from 'node:url';

const CLI = fileURLToPath(new URL('../../packages/cli/dist/main.js', import.meta.url));
const START_MS = 20_000;

export class DemoNode {
  /**
   * @param {number} id
   * @param {string} directory  where its data goes
   * @param {number} peerPort  where the other nodes reach it
   * @param {readonly string[]} settings  `name=value`, the same for all nodes
   * @param {Record<string, string>} more  further listeners, `host:port` by name
   */
  constructor(id, directory, peerPort, settings, more = {}) {
    this.id = id;
    this.directory = directory;
    this.settings = settings;
    this.listeners = { CLIENT: '127.0.0.1:0', PEER: `127.0.0.1:${peerPort}`, ...more };
    this.child = undefined;
    this.errors = '';
  }

  get address() {
    return this.listeners.CLIENT;
  }

  /** Resolves when it serves, with its pid. */
  async start() {
    const listeners = Object.entries(this.listeners).map(([name, address]) => `${name}://${address}`);
    const own = [`node.id=${this.id}`, `listeners=${listeners}`, `log.dirs=${this.directory}`];
    const settings = [...own, ...this.settings, 'logging.level=error'];
    const child = spawn(process.execPath, [CLI, 'server', ...settings.flatMap((text) => ['--set', text])], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('TIDEMARK_'))),
    });
    this.child = child;
    child.stderr.setEncoding('utf8').on('data', (text) => {
      this.errors = (this.errors + text).slice(-4_096);
    });
    const ready = new Promise((resolve, reject) => {
      createInterface({ input: child.stdout }).on('line', (line) => {
        if (line.startsWith('{')) resolve(JSON.parse(line).addresses);
      });
      child.on('error', reject);
      child.on('exit', (code, signal) =>
        reject(new Error(`the server ended with ${code ?? signal}:\n${this.errors}`)),
      );
    });
    const late = setTimeout(() => child.kill('SIGKILL'), START_MS);
    this.listeners = { ...this.listeners, ...(await ready) };
    clearTimeout(late);
    return child.pid;
  }

  /** Ends it, by default without giving it a chance to write anything down. Answers its exit code or signal. */
  async end(signal = 'SIGKILL') {
    const child = this.child;
    this.child = undefined;
    if (child === undefined) return undefined;
    if (child.exitCode === null && child.signalCode === null) {
      const ended = once(child, 'exit');
      child.kill(signal);
      await ended;
    }
    return child.signalCode ?? child.exitCode;
  }
}
