// One member of a group as a process of its own: prints what it has processed, before that can be committed, and what it was given.
//   `d PARTITION FIRST NEXT`   records are done        `a`, `r`, `l` PARTITIONS   assigned, revoked, lost
//   `g GENERATION`             joined                   `e TEXT`                  an error
import { Consumer } from '@tidemark/client';
import { writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const [addresses, groupId, topic, strategy, msPerRecord, sessionTimeoutMs, name] = process.argv.slice(2);
const say = (line: string): void => void writeSync(1, `${line}\n`);
const list = (partitions: readonly { readonly partition: number }[]): string =>
  partitions.map(({ partition }) => partition).join(',');

const consumer = new Consumer({
  brokers: addresses!.split(','),
  groupId,
  config: {
    'auto.offset.reset': 'earliest',
    'auto.commit.interval.ms': '500',
    'partition.assignment.strategy': strategy!,
    'session.timeout.ms': sessionTimeoutMs!,
    'heartbeat.interval.ms': '500',
    'max.poll.interval.ms': '60000',
    'client.id': name!,
  },
  onError: (error) => say(`e ${String(error)}`),
  onGroupEvent: (event) => {
    if (event.type === 'joined') say(`g ${event.generation}`);
  },
});
consumer.subscribe([topic!], {
  onAssigned: (partitions) => say(`a ${list(partitions)}`),
  onRevoked: (partitions) => say(`r ${list(partitions)}`),
  onLost: (partitions) => say(`l ${list(partitions)}`),
});
process.once('SIGTERM', () => {
  void consumer.close().then(() => process.exit(0));
});
await consumer.run({
  concurrency: 4,
  eachBatch: async (batch, context) => {
    const cursor = batch.cursor();
    let first = -1;
    let next = -1;
    let count = 0;
    while (!context.signal.aborted && cursor.next()) {
      if (first < 0) first = cursor.offset;
      next = cursor.offset + 1;
      count++;
    }
    if (first < 0) return;
    if (Number(msPerRecord) > 0) await sleep(count * Number(msPerRecord));
    say(`d ${batch.partition} ${first} ${next}`);
    context.done(next);
  },
});
