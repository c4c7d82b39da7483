import { Metadata } from '@grpc/grpc-js';
import { trace } from '@opentelemetry/api';
import { expect } from 'chai';
import { logService, type ProduceRequest, type ProduceResponseOutput } from '@tidemark/rpc';
import { NodeClock } from '../src/node-clock.ts';
import { registeredTracer, Tracing } from '../src/tracing.ts';
import { batchOf, TestBroker } from './harness.ts';
import { SpanCollector, type CollectedSpan } from './span-collector.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';
const PARENT = `00-${TRACE}-${SPAN}-01`;

describe('a traced broker', () => {
  let collector: SpanCollector;
  let broker: TestBroker;
  beforeEach(async () => {
    collector = new SpanCollector();
    broker = await TestBroker.start({}, undefined, undefined, collector);
    await broker.createTopic('orders', 2);
    collector.spans.length = 0;
  });
  afterEach(() => broker.stop());

  function produceIn(
    traceParent: string | undefined,
    request: ProduceRequest,
  ): Promise<ProduceResponseOutput> {
    const metadata = new Metadata();
    if (traceParent !== undefined) metadata.set('traceparent', traceParent);
    const { path, requestSerialize, responseDeserialize } = logService.Produce;
    return new Promise((resolve, reject) => {
      broker.client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        request,
        metadata,
        (error, answer) => (error ? reject(error) : resolve(answer!)),
      );
    });
  }

  const within = (inner: CollectedSpan, outer: CollectedSpan): void => {
    expect(inner.startMs).to.be.at.least(outer.startMs - 1);
    expect(inner.endMs!).to.be.within(inner.startMs, outer.endMs! + 1);
    expect(inner.parent?.spanId).to.equal(outer.spanContext().spanId);
  };

  it('tells a produce in the trace of its caller: append and replicate of each partition, then the high watermark', async () => {
    const partitions = [0, 1].map((partition) => ({ topic: 'orders', partition, batches: batchOf(['a']) }));
    await produceIn(PARENT, { partitions });
    const [produce, ...others] = collector.named('produce');
    expect(others).to.deep.equal([]);
    expect(produce!.parent).to.deep.include({ traceId: TRACE, spanId: SPAN, isRemote: true });
    expect(produce!.attributes).to.deep.include({ 'tidemark.partitions': 2 });
    expect(produce!.attributes['tidemark.bytes']).to.be.greaterThan(100);
    expect(produce!.status).to.equal(undefined);
    for (const stage of ['append', 'replicate']) {
      const spans = collector.named(stage);
      expect(spans.map(({ attributes }) => attributes['messaging.destination.partition.id'])).to.have.members(
        ['0', '1'],
      );
      for (const span of spans) within(span, produce!);
    }
    expect(produce!.events.map(({ name }) => name)).to.deep.equal(['high watermark', 'high watermark']);
  });

  it('takes the trace of a stream’s request from the message, and else from the stream', async () => {
    const metadata = new Metadata();
    metadata.set('traceparent', PARENT);
    const { path, requestSerialize, responseDeserialize } = logService.ProduceStream;
    const call = broker.client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize, metadata);
    const other = `00-${TRACE.replaceAll('4', '5')}-${SPAN}-01`;
    for (const traceparent of ['', other, 'nonsense']) {
      call.write({
        correlationId: 1,
        traceparent,
        request: { partitions: [{ topic: 'orders', batches: batchOf(['a']) }] },
      });
      await new Promise((resolve) => call.once('data', resolve));
    }
    call.end();
    const traces = collector.named('produce').map(({ parent }) => parent?.traceId);
    // What is malformed belongs to no trace.
    expect(traces).to.deep.equal([TRACE, TRACE.replaceAll('4', '5'), undefined]);
  });

  it('names the error of a refused produce', async () => {
    await produceIn(PARENT, { partitions: [{ topic: 'nowhere', batches: batchOf(['a']) }] });
    const [produce] = collector.named('produce');
    expect(produce!.status).to.deep.equal({ code: 2, message: 'UNKNOWN_TOPIC_OR_PARTITION' });
    expect(produce!.endMs).to.be.a('number');
    expect(collector.named('append')).to.deep.equal([]);
  });

  it('tells a fetch, and each push of a stream', async () => {
    await broker.produce({ topic: 'orders', batches: batchOf(['a', 'b']) });
    await broker.fetch({ topic: 'orders', partitionMaxBytes: 1_000 });
    const [fetched] = collector.named('fetch');
    expect(fetched!.attributes['tidemark.bytes']).to.be.greaterThan(50);
    const stream = broker.fetchStream();
    stream.send({ add: [{ topic: 'orders', positionId: 1 }], creditBytes: 1_000 });
    expect((await stream.next())?.results).to.have.length(1);
    stream.cancel();
    const [push] = collector.named('push');
    expect(push!.attributes).to.deep.include({ 'tidemark.partitions': 1 });
  });

  it('makes nothing of what the sampler leaves out', async () => {
    collector.isSampling = false;
    await produceIn(PARENT, { partitions: [{ topic: 'orders', batches: batchOf(['a']) }] });
    expect(collector.spans.map(({ name, endMs }) => [name, endMs])).to.deep.equal([['produce', undefined]]);
  });
});

describe('a follower that is traced', () => {
  it('tells each answer of a leader that it has written, beside the metrics', () => {
    const collector = new SpanCollector();
    const told: unknown[] = [];
    const observer = new Tracing(() => collector, new NodeClock()).beside({
      staged: () => undefined,
      isrChanged: () => undefined,
      followed: (...told1) => void told.push(told1),
    });
    observer.followed('orders-0', 2 as never, 100, 5);
    expect(told).to.deep.equal([['orders-0', 2, 100, 5]]);
    const [span] = collector.spans;
    expect(span).to.deep.include({ name: 'follow', parent: undefined });
    expect(span!.attributes).to.deep.equal({
      'tidemark.partition': 'orders-0',
      'tidemark.leader_id': 2,
      'tidemark.bytes': 100,
    });
    expect(span!.endMs! - span!.startMs).to.equal(5);
  });
});

describe('a broker without a tracer', () => {
  it('makes no span, and finds the one that is registered later', () => {
    const clock = new NodeClock();
    const tracing = new Tracing(registeredTracer, clock);
    expect(tracing.produce(PARENT, 0)).to.equal(undefined);
    expect(tracing.fetch('fetch', PARENT)).to.equal(undefined);
    const collector = new SpanCollector();
    trace.setGlobalTracerProvider({ getTracer: () => collector });
    try {
      expect(tracing.produce(PARENT, clock.monotonicMs())).not.to.equal(undefined);
      expect(collector.named('produce')[0]!.parent?.traceId).to.equal(TRACE);
    } finally {
      trace.disable();
    }
  });
});

describe('a tracer that brings its own copy of the API', () => {
  const GLOBAL = Symbol.for('opentelemetry.js.api.1');
  const globals = globalThis as unknown as Record<symbol, unknown>;
  let before: unknown;
  beforeEach(() => {
    before = globals[GLOBAL];
  });
  afterEach(() => {
    globals[GLOBAL] = before;
  });

  // The SDK asks for an API below 1.10, and an API sees nothing that an older minor version than its own has registered.
  it('is found when it is of the newest version that the SDK takes', () => {
    const tracer = {};
    globals[GLOBAL] = { version: '1.9.0', trace: { getTracer: () => tracer } };
    expect(registeredTracer()).to.equal(tracer);
  });
});
