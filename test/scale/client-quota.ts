// How well a quota holds: a client limited to 5 MB/s that ignores what it is told and sends as fast as it can, for 30 s, beside one at
// full speed, which has run alone before. Prints figures; exits with 1 when the limited one strays from its rate by more than 10 %, or
// the other is slower than half of what it was alone.
//
//   node --import=tsx --conditions=@tidemark/source test/scale/client-quota.ts [seconds]
import { Admin, Producer } from '@tidemark/client';
import { Channel, logService, type ProduceStreamResponseOutput } from '@tidemark/rpc';
import { batchOf } from '../../packages/broker/test/harness.ts';
import { startServer } from '../integration/start-server.ts';

const RATE = 5_000_000;
const seconds = Number(process.argv[2] ?? 30);

const server = await startServer();
const brokers = [server.address];
const admin = new Admin({ brokers });
await admin.createTopics([
  { name: 'limited', partitions: 1 },
  { name: 'free', partitions: 1 },
]);
await admin.security.alterQuotas({ clientId: 'limited' }, { producer_byte_rate: RATE });

/** One that waits for nothing: neither throttle_ms nor acknowledgements. */
async function flood(forMs: number): Promise<number> {
  const channel = new Channel(server.address, { clientId: 'limited' });
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
const alone = (await fullSpeed(aloneSeconds * 1000)) / aloneSeconds;
const [limited, beside] = await Promise.all([flood(seconds * 1000), fullSpeed(seconds * 1000)]);
await admin.close();
await server.dispose();

const share = limited / seconds / RATE;
process.stdout.write(
  [
    `free client alone:   ${mb(alone, 1)} MB/s over ${aloneSeconds} s`,
    `limited to 5 MB/s:   ${mb(limited, seconds)} MB/s over ${seconds} s (${((share - 1) * 100).toFixed(1)} %)`,
    `free client beside:  ${mb(beside, seconds)} MB/s (${((beside / seconds / alone) * 100).toFixed(0)} % of alone)`,
    '',
  ].join('\n'),
);
process.exit(Math.abs(share - 1) > 0.1 || beside / seconds < alone / 2 ? 1 : 0);
