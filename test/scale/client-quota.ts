// How well a quota holds: a client limited to 5 MB/s that ignores what it is told and sends as fast as it can, for 30 s and from a process
// of its own, beside one at full speed, which runs alone before and after. Then both without a quota, for comparison. Prints figures;
// exits with 1 when the limited one strays from its rate by more than 10 %, or the other is slower than half of what it was alone.
//
//   node --import=tsx --conditions=@tidemark/source test/scale/client-quota.ts [seconds]
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Admin, Producer } from '@tidemark/client';
import { Channel, logService, type ProduceStreamResponseOutput } from '@tidemark/rpc';
import { batchOf } from '../../packages/broker/test/harness.ts';
import { startServer } from '../integration/start-server.ts';

const RATE = 5_000_000;
const seconds = Number(process.argv[2] ?? 30);

if (process.send !== undefined) {
  const [, , clientId = '', address = '', ms] = process.argv;
  process.send(await flood(clientId, address, Number(ms)));
  process.disconnect();
  process.exit(0);
}

const server = await startServer();
const brokers = [server.address];
const admin = new Admin({ brokers });
await admin.createTopics([
  { name: 'limited', partitions: 1 },
  { name: 'free', partitions: 1 },
]);
await admin.security.alterQuotas({ clientId: 'limited' }, { producer_byte_rate: RATE });

/** One that waits for nothing: neither throttle_ms nor acknowledgements. */
async function flood(clientId: string, address: string, forMs: number): Promise<number> {
  const channel = new Channel(address, { clientId });
  const stream = channel.stream(logService.ProduceStream);
  const batch = batchOf(Array.from({ length: 64 }, () => 'x'.repeat(1000)));
  let acked = 0;
  stream.on('error', () => undefined);
  stream.on('data', ({ response }: ProduceStreamResponseOutput) => {
    for (const { error } of response!.results) if (error === null) acked += batch.length;
  });
  const until = performance.now() + forMs;
  for (let id = 0; performance.now() < until; id++) {
    const partitions = [{ topic: 'limited', partition: 0, batches: batch }];
    const more = stream.write({ correlationId: id, request: { acks: 'ACKS_LEADER', partitions } });
    if (!more) await new Promise((resolve) => setTimeout(resolve, 2));
  }
  channel.close();
  return acked;
}

async function flooder(clientId: string, forMs: number): Promise<number> {
  const child = fork(fileURLToPath(import.meta.url), [clientId, server.address, `${forMs}`], {
    execArgv: ['--import=tsx', '--conditions=@tidemark/source'],
  });
  const [acked] = (await once(child, 'message')) as [number];
  return acked;
}

async function fullSpeed(forMs: number): Promise<number> {
  const producer = new Producer({
    brokers,
    config: { 'client.id': 'free', 'batch.size': 262_144, acks: '1' },
  });
  let acked = 0;
  let failed = 0;
  const value = Buffer.alloc(1000, 120);
  const until = performance.now() + forMs;
  const waiting = new Set<Promise<void>>();
  while (performance.now() < until) {
    for (let at = 0; at < 200; at++) {
      const sent = producer.send({ topic: 'free', value }).then(
        () => {
          if (performance.now() < until) acked += value.length;
        },
        () => {
          failed += 1;
        },
      );
      waiting.add(sent);
      void sent.then(() => waiting.delete(sent));
    }
    if (waiting.size > 10_000) await Promise.race(waiting);
    await new Promise(setImmediate);
  }
  await producer.close();
  if (failed > 0) process.stdout.write(`of the free client ${failed} records failed\n`);
  return acked;
}

const mb = (bytes: number, inSeconds: number): string => (bytes / inSeconds / 1e6).toFixed(2);
const aloneSeconds = Math.min(10, seconds);
const alone = async (): Promise<number> => (await fullSpeed(aloneSeconds * 1000)) / aloneSeconds;
const together = (clientId: string, forMs: number) =>
  Promise.all([flooder(clientId, forMs), fullSpeed(forMs)]);

const before = await alone();
const [limited, beside] = await together('limited', seconds * 1000);
const after = await alone();
const [unlimited, besideUnlimited] = await together('unlimited', aloneSeconds * 1000);
await admin.close();
await server.dispose();

const share = limited / seconds / RATE;
const mean = (before + after) / 2;
process.stdout.write(
  [
    `free client alone:      ${mb(before, 1)} MB/s before, ${mb(after, 1)} MB/s after, ${aloneSeconds} s each`,
    `limited to 5 MB/s:      ${mb(limited, seconds)} MB/s over ${seconds} s (${((share - 1) * 100).toFixed(1)} %)`,
    `free client beside it:  ${mb(beside, seconds)} MB/s (${((beside / seconds / mean) * 100).toFixed(0)} % of alone)`,
    `without the quota:      ${mb(unlimited, aloneSeconds)} MB/s, and ${mb(besideUnlimited, aloneSeconds)} MB/s for the free client`,
    '',
  ].join('\n'),
);
process.exit(Math.abs(share - 1) > 0.1 || beside / seconds < mean / 2 ? 1 : 0);
