// The order of one partition, against a leader that checks sequences as Kafka does, under answers lost, late and out of order.
import { expect } from 'chai';
import fc from 'fast-check';
import { BatchBuilder } from '@tidemark/record';
import { PartitionQueue, sequenceAfter } from '../src/partition-queue.ts';
import { ProducerBatch } from '../src/producer-batch.ts';
import { FakePartition } from './fake-cluster.ts';

const identity = { producerId: 7, producerEpoch: 0 };

function batchOf(ordinal: number, values: readonly string[]): ProducerBatch {
  const builder = new BatchBuilder({ capacityBytes: 256 });
  const batch = new ProducerBatch({
    topic: 't',
    partition: 0,
    ordinal,
    span: 1,
    builder,
    reservedBytes: 256,
    createdAtMs: ordinal,
  });
  for (const value of values) batch.append(0, null, Buffer.from(value), [], undefined);
  return batch;
}

function take(queue: PartitionQueue): ProducerBatch {
  const taken = queue.take(identity);
  taken.batch.seal(taken.identity, {});
  return taken.batch;
}

function fill(queue: PartitionQueue, count: number): ProducerBatch[] {
  return Array.from({ length: count }, (_, ordinal) => {
    queue.open = batchOf(ordinal, [`v${ordinal}`]);
    const batch = queue.open;
    queue.closeOpen();
    return batch;
  });
}

/** A queue whose leader knows the producer: batch 0 is stored, the next `count` wait. */
function opened(count: number): PartitionQueue {
  const queue = new PartitionQueue('t', 0);
  fill(queue, count + 1);
  queue.stored(take(queue));
  return queue;
}

describe('the queue of a partition', () => {
  it('numbers batches by their records, wrapping after 2^31 - 1', () => {
    expect(sequenceAfter(2 ** 31 - 2, 1)).to.equal(2 ** 31 - 1);
    expect(sequenceAfter(2 ** 31 - 2, 2)).to.equal(0);
    expect(sequenceAfter(2 ** 31 - 2, 5)).to.equal(3);
  });

  it('sends nothing past a batch that must be sent again, until all in flight is answered', () => {
    const queue = opened(4);
    const [first, second] = [take(queue), take(queue)];
    queue.giveBack(first);
    expect(queue.next, 'the second is still out').to.equal(undefined);
    queue.giveBack(second);
    expect([take(queue), take(queue), take(queue)].map(({ ordinal }) => ordinal)).to.deep.equal([1, 2, 3]);
  });

  it('sends an open batch that is due when its turn comes, and takes records into it until then', () => {
    const queue = opened(1);
    const due = batchOf(2, ['v2']);
    queue.open = due;
    expect([queue.waiting, queue.next?.ordinal]).to.deep.equal([1, 1]);
    queue.isDue = true;
    expect([queue.waiting, queue.next?.ordinal]).to.deep.equal([2, 1]);
    take(queue);
    due.append(0, null, Buffer.from('more'), [], undefined);
    expect(take(queue).recordCount).to.equal(2);
    expect([queue.open, queue.waiting, queue.next]).to.deep.equal([undefined, 0, undefined]);

    queue.open = batchOf(3, ['v3']);
    expect(queue.next, 'the next one lingers').to.equal(undefined);
    queue.isDue = true;
    expect(queue.expire(3).map(({ ordinal }) => ordinal)).to.deep.equal([3]);
    expect([queue.open, queue.waiting]).to.deep.equal([undefined, 0]);
  });

  it('sends again with the sequences it had', () => {
    const queue = opened(3);
    const sent = [take(queue), take(queue)];
    const before = sent.map((batch) => batch.identity);
    for (const batch of [...sent].reverse()) queue.giveBack(batch);
    expect([take(queue), take(queue)].map((batch) => batch.identity)).to.deep.equal(before);
    expect(take(queue).identity?.baseSequence).to.equal(3);
  });

  it('has one batch in flight until the leader has stored one, lest the second pass for the first', () => {
    const queue = new PartitionQueue('t', 0);
    fill(queue, 3);
    const first = take(queue);
    expect(queue.next).to.equal(undefined);
    queue.giveBack(first);
    expect(take(queue)).to.equal(first);
    queue.stored(first);
    take(queue);
    expect(queue.next?.ordinal).to.equal(2);
  });

  it('has one batch in flight again in another topic of the name, whatever the old one has stored', () => {
    const queue = new PartitionQueue('t', 0);
    fill(queue, 6);
    queue.goesTo('old');
    queue.stored(take(queue));
    const [first, second] = [take(queue), take(queue)];
    queue.goesTo('new');
    expect(queue.next, 'two are with the old one').to.equal(undefined);
    queue.stored(first);
    queue.stored(second);
    const third = take(queue);
    expect([third.identity?.baseSequence, queue.next]).to.deep.equal([3, undefined]);
    queue.stored(third);
    take(queue);
    expect(queue.next?.ordinal).to.equal(5);
  });

  it('starts over under a raised epoch once a sequence leads nowhere (KIP-360)', () => {
    const queue = opened(3);
    const [first, second] = [take(queue), take(queue)];
    expect(queue.resetSequence(second)).to.equal(true);
    expect(queue.resetSequence(second), 'it is under way').to.equal(false);
    queue.stored(first);
    expect(queue.next, 'the second may still land under the old epoch').to.equal(undefined);
    queue.giveBack(second);
    const again = take(queue);
    expect(again).to.equal(second);
    expect(again.identity).to.deep.equal({ producerId: 7, producerEpoch: 1, baseSequence: 0 });
    queue.stored(again);
    expect(take(queue).identity).to.deep.equal({ producerId: 7, producerEpoch: 1, baseSequence: 1 });
  });

  it('needs another producer id when the last epoch is used up', () => {
    const queue = new PartitionQueue('t', 0);
    fill(queue, 2);
    queue.stored(take(queue));
    queue.forgetProducerId();
    expect(queue.refuses(identity.producerId)).to.equal(true);
    expect(queue.refuses(8)).to.equal(false);
    const { identity: next } = queue.take({ producerId: 8, producerEpoch: 0 });
    expect(next).to.deep.equal({ producerId: 8, producerEpoch: 0, baseSequence: 0 });
  });

  it('leaves the sequence of an expired batch behind only if it was sent', () => {
    const unsent = new PartitionQueue('t', 0);
    fill(unsent, 3);
    unsent.stored(take(unsent));
    expect(unsent.expire(1).map(({ ordinal }) => ordinal)).to.deep.equal([1]);
    expect(take(unsent).identity).to.deep.equal({ producerId: 7, producerEpoch: 0, baseSequence: 1 });

    const sent = new PartitionQueue('t', 0);
    fill(sent, 3);
    sent.stored(take(sent));
    sent.giveBack(take(sent));
    expect(sent.expire(1).map(({ ordinal }) => ordinal)).to.deep.equal([1]);
    expect(take(sent).identity).to.deep.equal({ producerId: 7, producerEpoch: 1, baseSequence: 0 });
  });

  it('sends again as it was what went out behind a batch that is given up', () => {
    const queue = opened(4);
    const [first, second] = [take(queue), take(queue)];
    const { identity: before } = second;
    queue.giveBack(second);
    queue.giveBack(first);
    expect(queue.expire(1)).to.deep.equal([first]);
    const again = take(queue);
    expect([again, again.identity]).to.deep.equal([second, before]);
    // The leader finds the gap: then nothing behind it is stored, and all start over.
    const third = take(queue);
    expect(queue.isFirstUnsettled(second)).to.equal(true);
    expect(queue.resetSequence(second)).to.equal(true);
    queue.giveBack(second);
    queue.giveBack(third);
    expect(take(queue).identity).to.deep.equal({ producerId: 7, producerEpoch: 1, baseSequence: 0 });
  });

  it('sends again as it was, and first, what may be stored before a sequence that leads nowhere', () => {
    const queue = opened(4);
    const [first, second] = [take(queue), take(queue)];
    const { identity: before } = first;
    // The leader refuses the second for good, and then its connection is gone: of the first nothing is known.
    expect(queue.giveUpSequence(second)).to.equal(true);
    queue.discard(second);
    queue.giveBack(first);
    const again = take(queue);
    expect([again, again.identity]).to.deep.equal([first, before]);
    expect(queue.next, 'under the epoch that is to end').to.equal(undefined);
    queue.stored(again);
    expect(take(queue).identity).to.deep.equal({ producerId: 7, producerEpoch: 1, baseSequence: 0 });
  });

  // What happens to the oldest, or some, of the batches in flight.
  const event = fc.oneof(
    { weight: 6, arbitrary: fc.constant('send' as const) },
    { weight: 4, arbitrary: fc.constant('store and answer' as const) },
    { weight: 2, arbitrary: fc.constant('answer late' as const) },
    { weight: 1, arbitrary: fc.constant('lose one' as const) },
    { weight: 1, arbitrary: fc.constant('break, requests lost' as const) },
    { weight: 1, arbitrary: fc.constant('break, answers lost' as const) },
  );

  it('gets every record into the log once and in order, whatever is lost', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 120 }), (events) => {
        const queue = new PartitionQueue('t', 0);
        const leader = new FakePartition();
        const count = 12;
        fill(queue, count - 1);
        queue.open = batchOf(count - 1, [`v${count - 1}`]);
        queue.isDue = true;
        let flying: ProducerBatch[] = [];
        const answer = (batch: ProducerBatch): void => {
          const stored = leader.append(batch.bytes);
          flying = flying.filter((other) => other !== batch);
          if (typeof stored !== 'string') queue.stored(batch);
          else {
            expect(stored).to.equal('OUT_OF_ORDER_SEQUENCE_NUMBER');
            expect(queue.isFirstUnsettled(batch), 'a gap is filled by an earlier batch').to.equal(false);
            queue.giveBack(batch);
          }
        };
        const breakDown = (): void => {
          const lost = flying;
          flying = [];
          for (const batch of lost) queue.giveBack(batch);
        };
        const step = (what: (typeof events)[number]): void => {
          switch (what) {
            case 'send':
              if (queue.next !== undefined && queue.inFlight < 5) flying.push(take(queue));
              return;
            case 'store and answer':
              if (flying.length > 0) answer(flying[0]!);
              return;
            case 'answer late': {
              // The leader stores in order; the second's answer comes first.
              const [first, second] = flying;
              if (first === undefined || second === undefined) return;
              const stored = [first, second].map((batch) => leader.append(batch.bytes));
              flying = flying.slice(2);
              [second, first].forEach((batch, index) => {
                if (typeof stored[1 - index] === 'string') queue.giveBack(batch);
                else queue.stored(batch);
              });
              return;
            }
            case 'lose one': {
              // A retriable error for the oldest; those behind it leave a gap.
              const [first] = flying;
              if (first === undefined) return;
              flying = flying.slice(1);
              queue.giveBack(first);
              return;
            }
            case 'break, answers lost':
              for (const batch of flying) leader.append(batch.bytes);
              breakDown();
              return;
            case 'break, requests lost':
              breakDown();
          }
        };
        for (const what of events) step(what);
        while (queue.waiting + queue.inFlight > 0) {
          step('store and answer');
          step('send');
        }
        expect(leader.values()).to.deep.equal(Array.from({ length: count }, (_, ordinal) => `v${ordinal}`));
      }),
    );
  });
});
