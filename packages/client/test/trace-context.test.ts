import { ROOT_CONTEXT, context, trace } from '@opentelemetry/api';
import type { Context, ContextManager, SpanContext, TraceState } from '@opentelemetry/api';
import { expect } from 'chai';
import { stringDeserializer } from '@tidemark/client';
import { startFixture } from './fixture.ts';
import type { Fixture } from './fixture.ts';

const spanOf = (digit: string, rest: Partial<SpanContext> = {}): SpanContext => ({
  traceId: digit.repeat(32),
  spanId: digit.repeat(16),
  traceFlags: 1,
  ...rest,
});
const parentOf = (digit: string): string => `00-${digit.repeat(32)}-${digit.repeat(16)}-01`;

const vendorState: TraceState = {
  set: () => vendorState,
  unset: () => vendorState,
  get: () => '1',
  serialize: () => 'vendor=1',
};

/** One active context, set by hand. */
class ManualContext implements ContextManager {
  #active: Context = ROOT_CONTEXT;
  enter(span: SpanContext | undefined): void {
    this.#active = span === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, span);
  }
  active(): Context {
    return this.#active;
  }
  with(): never {
    throw new Error('nobody calls this');
  }
  bind<T>(_: Context, target: T): T {
    return target;
  }
  enable(): this {
    return this;
  }
  disable(): this {
    return this;
  }
}

describe('the trace context of records', () => {
  const active = new ManualContext();
  let fixture: Fixture;
  before(() => {
    context.setGlobalContextManager(active);
  });
  after(() => context.disable());
  beforeEach(async () => {
    fixture = await startFixture();
    fixture.cluster.addTopic('orders', 1);
    active.enter(undefined);
  });
  afterEach(() => fixture.stop());

  it('goes from the active span into headers, with the request to the broker, and out of the consumer', async () => {
    const producer = fixture.producer({ traceHeaders: true });
    const send = (value: string, headers = {}): Promise<unknown> =>
      producer.send({ topic: 'orders', value, headers });
    await send('no span');
    active.enter(spanOf('a', { traceState: vendorState }));
    await send('in a', { tenant: 'x' });
    active.enter(spanOf('b'));
    await send('brings its own', { traceparent: parentOf('c') });
    active.enter(spanOf('0'));
    await send('in the span of nobody');
    expect(fixture.cluster.traceParents).to.deep.equal(['', parentOf('a'), parentOf('c'), '']);

    const consumer = fixture.consumer({ valueDeserializer: stringDeserializer });
    consumer.assign([{ topic: 'orders', partition: 0, position: 'start' }]);
    const records = [];
    for await (const record of consumer) if (records.push(record) === 4) break;
    const found = records.map(({ traceContext }) => traceContext);
    expect(found.map((each) => each?.traceId[0])).to.deep.equal([undefined, 'a', 'c', undefined]);
    expect(found[1]).to.deep.include({ spanId: 'a'.repeat(16), traceFlags: 1, isRemote: true });
    expect(Buffer.from(records[1]!.header('tracestate')!).toString()).to.equal('vendor=1');
    expect(records[1]!.headers.map(({ key }) => key)).to.deep.equal(['tenant', 'traceparent', 'tracestate']);
  });

  it('is that of the first record that has one, for a request of many', async () => {
    const producer = fixture.producer({ config: { 'linger.ms': 50 } });
    await producer.partitionsFor('orders');
    const sent = ['', 'd', 'e'].map((digit) =>
      producer.send({
        topic: 'orders',
        value: 'v',
        headers: digit === '' ? { other: '1' } : { traceparent: parentOf(digit) },
      }),
    );
    await Promise.all(sent);
    expect(fixture.cluster.traceParents).to.deep.equal([parentOf('d')]);
  });

  it('stays out unless it is asked for', async () => {
    active.enter(spanOf('a'));
    const producer = fixture.producer();
    await producer.send({ topic: 'orders', value: 'v', headers: { traceparent: 'nonsense' } });
    expect(fixture.cluster.traceParents).to.deep.equal(['']);
  });
});
