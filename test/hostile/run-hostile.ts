// A real broker under one attack after another, while a healthy client writes and reads: how long its requests took, and how much
// memory the broker had.
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Admin, Producer } from '@tidemark/client';
import { Channel, logService } from '@tidemark/rpc';
import { batchOf } from '../../packages/broker/test/harness.ts';
import { Authority } from '../integration/certificates.ts';
import { startServer, type ServerOptions, type ServerProcess } from '../integration/start-server.ts';
import type { AttackOrder } from './attacker.ts';
import type { Target } from './attacks.ts';

export interface Figures {
  readonly attack: string;
  readonly requests: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly failures: number;
  /** Empty without one. */
  readonly lastFailure: string;
  readonly peakRssMb: number;
  /** What Node holds when it is over, the heap and buffers beside it; the rest of RSS is freed, and not given back yet. */
  readonly heldMb: number;
}

const ATTACKER = fileURLToPath(new URL('attacker.ts', import.meta.url));
const MIB = 1024 * 1024;
const BACKLOG = 48;

const LISTENERS = 'CLIENT://127.0.0.1:0,CLIENT_SASL://127.0.0.1:0,PEER://127.0.0.1:0,HTTP://127.0.0.1:0';

export class HostileRun {
  readonly server: ServerProcess;
  readonly #channel: Channel;
  readonly #attacker: ChildProcess;
  readonly #target: Target;
  readonly #folder: string;

  private constructor(server: ServerProcess, attacker: ChildProcess, target: Target, folder: string) {
    this.server = server;
    this.#attacker = attacker;
    this.#target = target;
    this.#folder = folder;
    this.#channel = new Channel(server.address, { clientId: 'healthy' });
  }

  /** `settings` of the broker are beside the defaults. */
  static async start({ settings, nodeOptions }: ServerOptions = {}): Promise<HostileRun> {
    const folder = mkdtempSync(join(tmpdir(), 'tidemark-hostile-'));
    const authority = new Authority(folder, 'authority');
    const node = authority.issue({ commonName: 'node-1', names: ['127.0.0.1'] });
    const client = authority.issue({ commonName: 'mallory' });
    const server = await startServer({
      ...(nodeOptions && { nodeOptions }),
      settings: {
        listeners: LISTENERS,
        'listener.security.protocol.map': 'CLIENT_SASL:SASL_PLAINTEXT,PEER:SSL',
        'ssl.keystore.location': node.certificate,
        'ssl.keystore.key.location': node.key,
        'ssl.truststore.location': authority.file,
        'listener.name.peer.ssl.client.auth': 'required',
        'node.principals': 'User:CN=node-*',
        'max.connections.per.ip': '500',
        ...settings,
      },
    });
    const admin = new Admin({ brokers: [server.address] });
    await admin.createTopics([
      { name: 'healthy', partitions: 1 },
      { name: 'backlog', partitions: 1 },
      { name: 'quiet', partitions: 1 },
      { name: 'small', partitions: 1 },
    ]);
    await admin.security.upsertCredential({ user: 'admin', password: 'hard to guess' });
    await admin.security.alterQuotas({ clientId: '' }, { controller_mutation_rate: 5 });
    await admin.close();
    const producer = new Producer({ brokers: [server.address], config: { 'max.request.size': 2 * MIB } });
    for (let at = 0; at < BACKLOG; at++)
      await producer.send({ topic: 'backlog', value: Buffer.alloc(MIB - 1000) });
    await producer.close();
    const attacker = fork(ATTACKER, {
      execArgv: ['--import=tsx', '--conditions=@tidemark/source'],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    await once(attacker, 'message');
    const addresses = server.listeners as unknown as Readonly<Record<string, string>>;
    const portOf = (name: string): number => Number(addresses[name]!.split(':')[1]);
    const target: Target = {
      host: '127.0.0.1',
      port: portOf('CLIENT'),
      saslPort: portOf('CLIENT_SASL'),
      peerPort: portOf('PEER'),
      clientCertificate: client.certificate,
      clientKey: client.key,
    };
    return new HostileRun(server, attacker, target, folder);
  }

  /** Without an attack: how it is in peace. */
  peace(forMs: number): Promise<Figures> {
    return this.#measure('(none)', () => pause(forMs));
  }

  under(attack: string, forMs: number): Promise<Figures> {
    return this.#measure(attack, async () => {
      const order: AttackOrder = { name: attack, target: this.#target, forMs };
      this.#attacker.send(order);
      const answered = new AbortController();
      const gone = once(this.#attacker, 'exit', { signal: answered.signal }).then(() => {
        throw new Error(`the attacker ended during ${attack}`);
      });
      await Promise.race([once(this.#attacker, 'message'), gone]);
      answered.abort();
    });
  }

  async dispose(): Promise<void> {
    this.#channel.close();
    this.#attacker.disconnect();
    await this.server.dispose();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #measure(attack: string, during: () => Promise<void>): Promise<Figures> {
    const times: number[] = [];
    let failures = 0;
    let lastFailure = '';
    let peak = 0;
    const over = new AbortController();
    const batches = batchOf(['healthy']);
    const work = (async () => {
      while (!over.signal.aborted) {
        const startedMs = performance.now();
        try {
          const partitions = [{ topic: 'healthy', partition: 0, batches }];
          const { results } = await this.#channel.unary(
            logService.Produce,
            { partitions },
            { timeoutMs: 10_000 },
          );
          if (results[0]?.error != null) failures += 1;
        } catch (error) {
          // Counted, and judged at the end.
          failures += 1;
          lastFailure = String(error);
        }
        times.push(performance.now() - startedMs);
        peak = Math.max(peak, this.#rssMb());
        await pause(5);
      }
    })();
    await during();
    over.abort();
    await work;
    times.sort((a, b) => a - b);
    const at = (share: number): number =>
      times[Math.min(times.length - 1, Math.floor(times.length * share))]!;
    return {
      attack,
      requests: times.length,
      p50Ms: at(0.5),
      p99Ms: at(0.99),
      failures,
      lastFailure,
      peakRssMb: peak,
      heldMb: await this.#heldMb(),
    };
  }

  async #heldMb(): Promise<number> {
    // A connection of its own: one that is kept may be closed by the server at the moment it is used again.
    const headers = { connection: 'close' };
    const page = await (await fetch(`http://${this.server.listeners.HTTP}/metrics`, { headers })).text();
    const bytes = ['nodejs_heap_size_used_bytes', 'nodejs_external_memory_bytes'].map((name) =>
      Number(new RegExp(`^${name} (\\S+)`, 'm').exec(page)?.[1] ?? 0),
    );
    return bytes.reduce((sum, each) => sum + each, 0) / MIB;
  }

  #rssMb(): number {
    const status = readFileSync(`/proc/${this.server.pid}/status`, 'utf8');
    return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024;
  }
}

const row = (attack: string, ...cells: readonly string[]): string =>
  [attack.padEnd(22), ...cells.map((cell) => cell.padStart(8))].join(' ');

export const line = (each: Figures): string =>
  row(
    each.attack,
    String(each.requests),
    each.p50Ms.toFixed(1),
    each.p99Ms.toFixed(1),
    String(each.failures),
    each.peakRssMb.toFixed(0),
    each.heldMb.toFixed(0),
  );
export const HEADER = row('ATTACK', 'CALLS', 'P50 ms', 'P99 ms', 'FAILED', 'RSS MB', 'HELD MB');
