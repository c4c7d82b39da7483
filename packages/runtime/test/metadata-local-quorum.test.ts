import { expect } from 'chai';
import { TidemarkError, type Failure, type Offset } from '@tidemark/core';
import type { MetadataRecord } from '@tidemark/controller';
import { LocalQuorum, type MetadataLog } from '@tidemark/runtime';
import { ManualClock } from './manual-clock.ts';

const record: MetadataRecord = { type: 'cluster', clusterId: 'x' };

/** A log whose writes end when and how the test says. */
class ScriptedLog implements MetadataLog {
  nextOffset = 0 as Offset;
  readonly logStartOffset = 0 as Offset;
  readonly acknowledgeableEndOffset = 0 as Offset;
  readonly writes: PromiseWithResolvers<void>[] = [];

  append: MetadataLog['append'] = () => {
    const write = deferred();
    this.writes.push(write);
    const baseOffset = this.nextOffset;
    this.nextOffset = (baseOffset + 1) as Offset;
    const written = write.promise;
    return { ok: true, baseOffset, lastOffset: baseOffset, logAppendTimeMs: -1, duplicate: false, written };
  };

  flush: MetadataLog['flush'] = () => this.writes.at(-1)!.promise;

  read: MetadataLog['read'] = () => ({ ok: true, parts: [], sizeBytes: 0, nextOffset: 0 as Offset });
}

interface PromiseWithResolvers<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (cause: unknown) => void;
}

function deferred(): PromiseWithResolvers<void> {
  let resolve!: () => void;
  let reject!: (cause: unknown) => void;
  const promise = new Promise<void>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

async function started() {
  const log = new ScriptedLog();
  const events: string[] = [];
  const fatal: unknown[] = [];
  const onFatal = (cause: unknown) => fatal.push(cause);
  const quorum = new LocalQuorum({ log, clock: new ManualClock(), maxInFlightBytes: 1e6, onFatal });
  const early = quorum.propose([record]);
  await quorum.start({
    committed: ({ baseOffset }) => events.push(`committed ${baseOffset}`),
    abandoned: (from: Offset, cause: Failure) => events.push(`abandoned ${from}: ${cause.error}`),
  });
  return { log, quorum, events, fatal, early };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));
const diskFull = () => new TidemarkError('KAFKA_STORAGE_ERROR', 'full');

describe('the quorum of one', () => {
  it('takes proposals only between its start and its end', async () => {
    const { quorum, early, log } = await started();
    expect(early).to.include({ ok: false, error: 'NOT_CONTROLLER' });
    expect(quorum.propose([record])).to.deep.equal({ ok: true, baseOffset: 0 });
    const closed = quorum.close();
    expect(quorum.propose([record])).to.include({ ok: false, error: 'NOT_CONTROLLER' });
    log.writes[0]!.resolve();
    await closed;
  });

  it('abandons what was lost once, and not what has taken its place since', async () => {
    const { quorum, log, events } = await started();
    for (let i = 0; i < 3; i++) quorum.propose([record]);
    log.writes[0]!.resolve();
    await settled();
    log.writes[1]!.reject(diskFull());
    log.nextOffset = 1 as Offset;
    await settled();
    expect(quorum.propose([record])).to.deep.equal({ ok: true, baseOffset: 1 });
    log.writes[2]!.reject(diskFull());
    await settled();
    log.writes[3]!.resolve();
    await settled();
    expect(events).to.deep.equal(['committed 0', 'abandoned 1: KAFKA_STORAGE_ERROR', 'committed 1']);
  });

  it('takes any other failure of the log for a bug', async () => {
    const { quorum, log, events, fatal } = await started();
    quorum.propose([record]);
    log.writes[0]!.reject(new TypeError('a bug'));
    await settled();
    expect(events).to.deep.equal([]);
    expect(fatal.map(String)).to.deep.equal(['TypeError: a bug']);
  });
});
