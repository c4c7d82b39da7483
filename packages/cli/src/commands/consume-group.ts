// `tidemark consume -g GROUP`: as a member of a group. What was written to stdout is committed, at every interval and at the end; what was
// not, because the reader went away or the command was killed, is read again by whoever comes next.
import { CommitFailed, Consumer, type GroupEvent, type TopicPartition } from '@tidemark/client';
import { clientOptions, requireTopic, withAdmin } from '../cluster-access.ts';
import type { CommandContext } from '../command-context.ts';
import { usageFailure } from '../exit.ts';
import { Printer, type ByteConsumer, type ConsumeOptions, type Style } from './consume.ts';
import { partitionRanges } from './group-view.ts';
import { nameOf } from './partition-selection.ts';

/** Where the group begins when it has committed nothing. */
function resetOf(from: string): 'earliest' | 'latest' {
  if (from === 'start' || from === 'earliest' || from === 'beginning') return 'earliest';
  if (from === 'end' || from === 'latest') return 'latest';
  throw usageFailure(
    `--from ${from} with -g: the group says where it goes on`,
    'move it with `tidemark group seek GROUP --to POSITION --execute`',
  );
}

export async function consumeInGroup(
  context: CommandContext,
  topics: readonly string[],
  options: ConsumeOptions,
  style: Style,
): Promise<undefined> {
  if (options.partition !== undefined) {
    throw usageFailure('--partition and -g exclude each other: the group assigns partitions');
  }
  const reset = resetOf(options.from);
  const { stderr } = context.io;
  for (const topic of topics) await requireTopic(context.cluster, topic);
  const ends = options.exitAtEnd === true ? await endOffsets(context, topics) : undefined;
  const stop = new AbortController();
  const { signal } = context.interruption;
  const abort = (): void => stop.abort();
  signal.addEventListener('abort', abort);
  if (signal.aborted) abort();
  const consumer: ByteConsumer = new Consumer({
    ...clientOptions(context.cluster, {
      'client.id': 'tidemark-cli',
      'auto.offset.reset': reset,
      'partition.assignment.strategy': 'cooperative-sticky',
      ...(options.commitInterval === undefined ? {} : { 'auto.commit.interval.ms': options.commitInterval }),
    }),
    groupId: options.group!,
    onGroupEvent: (event) => {
      const text = eventText(event);
      if (text !== undefined) stderr.write(`${text}\n`);
      if (event.type === 'assigned' && ends !== undefined) stopAtEnd();
    },
    onError: (error) => stderr.write(`${error instanceof Error ? error.message : String(error)}\n`),
  });
  const stopAtEnd = (): void => {
    void isAtEnd(consumer, ends!, stop.signal).then((atEnd) => {
      if (atEnd) abort();
    });
  };
  const printer = new Printer(context, style, undefined, options.num ?? Infinity);
  const printed = new Map<string, TopicPartition & { readonly offset: number }>();
  try {
    consumer.subscribe(topics);
    await printer.begin();
    try {
      for await (const batch of consumer.batches({ signal: stop.signal })) {
        // Written before it counts as done.
        if (!(await printer.print(batch, false))) return undefined;
        const { topic, partition } = batch;
        const offset = printer.isDone() ? printer.nextOffset : batch.lastOffset + 1;
        printed.set(nameOf(batch), { topic, partition, offset });
        if (printer.isDone()) break;
        if (ends !== undefined) stopAtEnd();
      }
    } finally {
      await printer.end();
    }
    await commitPrinted(consumer, [...printed.values()], stderr);
  } finally {
    signal.removeEventListener('abort', abort);
    await consumer.close();
  }
  return undefined;
}

/** What it has still; what it has not was committed when it was taken away. */
async function commitPrinted(
  consumer: ByteConsumer,
  printed: readonly (TopicPartition & { readonly offset: number })[],
  stderr: { write(text: string): unknown },
): Promise<void> {
  const mine = new Set(consumer.assignment.map(nameOf));
  const offsets = printed.filter((each) => mine.has(nameOf(each)));
  if (offsets.length === 0) return;
  try {
    await consumer.commit(offsets);
  } catch (error) {
    if (!(error instanceof CommitFailed)) throw error;
    stderr.write(`${error.message}; these records are read again\n`);
  }
}

async function endOffsets(
  context: CommandContext,
  topics: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  return withAdmin(context.cluster, async (admin) => {
    const described = await admin.describeTopics(topics);
    const targets = described.flatMap(({ name, partitions }) =>
      partitions.map(({ partition }) => ({ topic: name, partition, spec: 'end' as const })),
    );
    const found = await admin.listOffsets(targets);
    return new Map(found.map((each) => [nameOf(each), each.offset]));
  });
}

/** Whether everything this member has is read up to `ends`. A partition that goes meanwhile is no longer its concern. */
async function isAtEnd(
  consumer: ByteConsumer,
  ends: ReadonlyMap<string, number>,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    for (const at of consumer.assignment) {
      if ((await consumer.position(at, { signal })) < (ends.get(nameOf(at)) ?? 0)) return false;
    }
    return true;
  } catch {
    // It is asked again with the next batch or assignment.
    return false;
  }
}

function eventText(event: GroupEvent): string | undefined {
  switch (event.type) {
    case 'assigned':
      return `generation ${event.generation}: ${event.assigned.length === 0 ? 'no partitions' : partitionRanges(event.assigned)}`;
    case 'lost':
      return `lost ${partitionRanges(event.partitions)}: ${event.reason}`;
    case 'failed':
      return undefined;
    case 'coordinator-found':
    case 'joining':
    case 'joined':
    case 'revoked':
    case 'left':
    case 'committed':
    case 'retrying':
      return undefined;
  }
}
