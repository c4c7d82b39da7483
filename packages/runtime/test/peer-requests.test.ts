import { expect } from 'chai';
import fc from 'fast-check';
import { failure, TidemarkError, type Network, type NetworkMessage, type NodeId } from '@tidemark/core';
import {
  defaultPeerRequestLimits,
  peerChannels,
  PeerRequests,
  PeerRouter,
  type PeerAnswer,
  type PeerRequestLimits,
} from '@tidemark/runtime';
import { SimClock, SimNetwork, SimPrng } from '@tidemark/simulation';
import {
  decodeAnswerFrame,
  decodeRequestFrame,
  encodeAnswerFrame,
  encodeRequestFrame,
} from '../src/peer-request-frames.ts';
import { PeerRequestWindow, REORDER_WINDOW } from '../src/peer-request-window.ts';

const [A, B] = [1 as NodeId, 2 as NodeId];
const ECHO = 1;

const bytesOf = (...values: number[]): Uint8Array => new Uint8Array(values);
const outcome = (answer: PeerAnswer): string => (answer.ok ? `ok ${answer.body.join(' ')}` : answer.error);

/** A Network that shows a test what is sent and delivers what the test says. */
class Wire implements Network {
  readonly self: NodeId;
  readonly sent: { readonly to: NodeId; readonly payload: Uint8Array }[] = [];
  reachable = true;
  #receiver: ((message: NetworkMessage) => void) | undefined;

  constructor(self: NodeId) {
    this.self = self;
  }

  send(to: NodeId, payload: Uint8Array): boolean {
    if (this.reachable) this.sent.push({ to, payload: payload.slice() });
    return this.reachable;
  }

  onMessage(receiver: (message: NetworkMessage) => void): void {
    this.#receiver = receiver;
  }

  deliver(from: NodeId, payload: Uint8Array): void {
    this.#receiver?.({ from, payload });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

function requestsOver(network: Network, clock: SimClock, seed: number, limits = defaultPeerRequestLimits) {
  const router = new PeerRouter(network);
  return new PeerRequests({
    requests: router.channel(peerChannels.request),
    answers: router.channel(peerChannels.response),
    clock,
    prng: new SimPrng(seed),
    limits,
    onFatal: (cause) => {
      throw cause;
    },
  });
}

function cluster(seed = 1, limits: PeerRequestLimits = defaultPeerRequestLimits) {
  const clock = new SimClock();
  const network = new SimNetwork({ clock, prng: new SimPrng(seed) });
  const [a, b] = [A, B].map((id) => requestsOver(network.join(id), clock, seed + id, limits));
  return { clock, network, a: a!, b: b! };
}

/** Two ends whose messages a test carries by hand. */
function byHand(limits: PeerRequestLimits = defaultPeerRequestLimits) {
  const clock = new SimClock();
  const [wireA, wireB] = [new Wire(A), new Wire(B)];
  const [a, b] = [requestsOver(wireA, clock, 1, limits), requestsOver(wireB, clock, 2, limits)];
  return { clock, wireA, wireB, a, b };
}

describe('PeerRequests', () => {
  it('brings a request to its handler and the answer back', async () => {
    const { clock, a, b } = cluster();
    b.serve(ECHO, (from, body) => Promise.resolve(bytesOf(from, ...body)));
    expect(outcome(await clock.settle(a.call(B, ECHO, bytesOf(7, 8), 1000)))).to.equal('ok 1 7 8');
    expect(outcome(await clock.settle(a.call(B, ECHO, bytesOf(), 1000)))).to.equal('ok 1');
    await clock.runUntilIdle();
    expect(clock.monotonicMs(), 'no timer of an answered call is left').to.be.below(20);
  });

  it('brings back the failure a handler rejects with, by name and words', async () => {
    const { clock, a, b } = cluster();
    b.serve(ECHO, () => Promise.reject(new TidemarkError('NOT_CONTROLLER', 'ask node 3')));
    const answer = await clock.settle(a.call(B, ECHO, bytesOf(1), 1000));
    expect(answer).to.deep.equal(failure('NOT_CONTROLLER', 'ask node 3'));
  });

  it('hands a bug in a handler to the process', async () => {
    const { clock, wireA, wireB, a } = byHand();
    const fatal: unknown[] = [];
    const router = new PeerRouter(wireB);
    const b = new PeerRequests({
      requests: router.channel(peerChannels.request),
      answers: router.channel(peerChannels.response),
      clock,
      prng: new SimPrng(3),
      limits: defaultPeerRequestLimits,
      onFatal: (cause) => fatal.push(cause),
    });
    b.serve(ECHO, () => Promise.reject(new Error('a bug')));
    const call = a.call(B, ECHO, bytesOf(), 50);
    wireB.deliver(A, wireA.sent[0]!.payload);
    expect(outcome(await clock.settle(call))).to.equal('REQUEST_TIMED_OUT');
    expect(String(fatal)).to.equal('Error: a bug');
    expect(b.servedRequests).to.equal(0);
  });

  it('says at once when nothing can be sent, and when nobody serves the kind', async () => {
    const { clock, a } = cluster();
    expect(outcome(await a.call(9 as NodeId, ECHO, bytesOf(), 1000))).to.equal('NETWORK_EXCEPTION');
    expect(outcome(await clock.settle(a.call(B, 77, bytesOf(), 1000)))).to.equal('UNSUPPORTED_VERSION');
    expect(a.waitingCalls).to.equal(0);
  });

  it('gives up exactly at the deadline, and takes no answer after it', async () => {
    const { clock, a, b } = cluster();
    let answer: ((body: Uint8Array) => void) | undefined;
    b.serve(ECHO, () => new Promise((resolve) => (answer = resolve)));
    const calls: string[] = [];
    void a.call(B, ECHO, bytesOf(), 500).then((result) => calls.push(outcome(result)));
    await clock.advance(499.9);
    expect(calls).to.deep.equal([]);
    await clock.advance(0.1);
    expect(calls).to.deep.equal(['REQUEST_TIMED_OUT']);
    expect(a.waitingCalls).to.equal(0);
    answer!(bytesOf(1));
    await clock.runUntilIdle();
    expect([calls.length, a.ignored, b.servedRequests]).to.deep.equal([1, 1, 0]);
  });

  it('executes a request once although the network repeats it, before, while and after it is answered', async () => {
    const { clock, wireA, wireB, a, b } = byHand();
    let executed = 0;
    let answer: ((body: Uint8Array) => void) | undefined;
    b.serve(ECHO, () => {
      executed += 1;
      return new Promise((resolve) => (answer = resolve));
    });
    const call = a.call(B, ECHO, bytesOf(1), 1000);
    const request = wireA.sent[0]!.payload;
    wireB.deliver(A, request);
    wireB.deliver(A, request);
    answer!(bytesOf(5));
    await clock.advance(1);
    wireB.deliver(A, request);
    await clock.advance(100_000);
    wireB.deliver(A, request);
    expect([executed, wireB.sent.length, b.ignored]).to.deep.equal([1, 1, 3]);
    for (let times = 0; times < 2; times++) wireA.deliver(B, wireB.sent[0]!.payload);
    expect(outcome(await call)).to.equal('REQUEST_TIMED_OUT');
  });

  it('does not execute the repetition of a request that was refused: its caller counts on that nothing happened', async () => {
    const { clock, wireA, wireB, a, b } = byHand({ ...defaultPeerRequestLimits, maxServed: 1 });
    const executed: number[] = [];
    let answer: ((body: Uint8Array) => void) | undefined;
    b.serve(ECHO, (_from, body) => {
      executed.push(body[0]!);
      return new Promise((resolve) => (answer = resolve));
    });
    void a.call(B, ECHO, bytesOf(1), 1000);
    const second = a.call(B, ECHO, bytesOf(2), 1000);
    wireB.deliver(A, wireA.sent[0]!.payload);
    wireB.deliver(A, wireA.sent[1]!.payload);
    wireA.deliver(B, wireB.sent[0]!.payload);
    expect(outcome(await second)).to.equal('THROTTLING_QUOTA_EXCEEDED');
    answer!(bytesOf());
    await clock.advance(1);
    wireB.deliver(A, wireA.sent[1]!.payload);
    expect(executed).to.deep.equal([1]);
    void a.call(B, ECHO, bytesOf(3), 1000);
    wireB.deliver(A, wireA.sent[2]!.payload);
    expect(executed, 'there is room again').to.deep.equal([1, 3]);
  });

  it('refuses more bytes of requests than it may hold', async () => {
    const { wireA, wireB, a, b } = byHand({ ...defaultPeerRequestLimits, maxServedBytes: 10 });
    b.serve(ECHO, () => new Promise(() => undefined));
    void a.call(B, ECHO, new Uint8Array(10), 1000);
    const second = a.call(B, ECHO, bytesOf(1), 1000);
    for (const { payload } of wireA.sent) wireB.deliver(A, payload);
    wireA.deliver(B, wireB.sent[0]!.payload);
    expect(outcome(await second)).to.equal('THROTTLING_QUOTA_EXCEEDED');
  });

  it('refuses more calls, and more bytes of them, than may wait', async () => {
    const { clock, wireA, a } = byHand({ ...defaultPeerRequestLimits, maxCalls: 2, maxCallBytes: 10 });
    const first = a.call(B, ECHO, new Uint8Array(9), 100);
    expect(outcome(await a.call(B, ECHO, new Uint8Array(2), 100))).to.equal('THROTTLING_QUOTA_EXCEEDED');
    const second = a.call(B, ECHO, bytesOf(1), 100);
    expect(outcome(await a.call(B, ECHO, bytesOf(), 100))).to.equal('THROTTLING_QUOTA_EXCEEDED');
    expect(wireA.sent.length, 'what is refused is not sent').to.equal(2);
    await clock.advance(100);
    await Promise.all([first, second]);
    const third = a.call(B, ECHO, new Uint8Array(10), 100);
    expect(wireA.sent.length, 'what timed out makes room').to.equal(3);
    wireA.reachable = false;
    expect(outcome(await a.call(A, ECHO, bytesOf(), 100))).to.equal('NETWORK_EXCEPTION');
    expect(a.waitingCalls).to.equal(1);
    await clock.settle(third);
  });

  it('does not begin a request that was under way for longer than its caller waits', async () => {
    const { clock, wireA, wireB, a, b } = byHand();
    const begun: string[] = [];
    b.serve(ECHO, (_from, body, { deadlineMs }) => {
      begun.push(`${body[0]!} until ${Math.round(deadlineMs)}`);
      return Promise.resolve(bytesOf());
    });
    void a.call(B, ECHO, bytesOf(1), 500);
    wireB.deliver(A, wireA.sent[0]!.payload);
    // The server's process stands still; two requests wait in its socket.
    await clock.advance(1000);
    void a.call(B, ECHO, bytesOf(2), 500);
    await clock.advance(400);
    void a.call(B, ECHO, bytesOf(3), 500);
    await clock.advance(400);
    for (const { payload } of wireA.sent.slice(1)) wireB.deliver(A, payload);
    expect(begun).to.deep.equal(['1 until 500', '3 until 1902']);
    wireB.deliver(A, wireA.sent[1]!.payload);
    expect(begun.length, 'nor its repetition').to.equal(2);
  });

  it('does not take an answer to an earlier process of its node for its own', async () => {
    const clock = new SimClock();
    const [wireA, wireB] = [new Wire(A), new Wire(B)];
    const b = requestsOver(wireB, clock, 2);
    b.serve(ECHO, (_from, body) => Promise.resolve(body));
    const before = requestsOver(wireA, clock, 10);
    void before.call(B, ECHO, bytesOf(1), 1000);
    before.close();
    const after = requestsOver(wireA, clock, 11);
    const call = after.call(B, ECHO, bytesOf(2), 1000);
    for (const { payload } of wireA.sent) wireB.deliver(A, payload);
    await clock.advance(0);
    expect(wireB.sent.length, 'both processes were served, each its first request').to.equal(2);
    for (const { payload } of wireB.sent) wireA.deliver(B, payload);
    expect(outcome(await clock.settle(call))).to.equal('ok 2');
    expect(after.ignored).to.equal(1);
  });

  it('does not take an answer from another node than the one it asked', async () => {
    const { clock, wireA, wireB, a, b } = byHand();
    b.serve(ECHO, () => Promise.resolve(bytesOf(6)));
    const call = a.call(B, ECHO, bytesOf(), 100);
    wireB.deliver(A, wireA.sent[0]!.payload);
    await clock.advance(0);
    wireA.deliver(3 as NodeId, wireB.sent[0]!.payload);
    expect(outcome(await clock.settle(call))).to.equal('REQUEST_TIMED_OUT');
  });

  it('fails what waits when it is closed, and neither asks nor answers any more', async () => {
    const { clock, wireA, wireB, a, b } = byHand();
    b.serve(ECHO, () => Promise.resolve(bytesOf()));
    const call = a.call(B, ECHO, bytesOf(), 100_000);
    a.close();
    expect(outcome(await call)).to.equal('REQUEST_TIMED_OUT');
    expect([clock.pending, a.waitingCalls]).to.deep.equal([0, 0]);
    expect(outcome(await a.call(B, ECHO, bytesOf(), 100))).to.equal('NETWORK_EXCEPTION');
    b.close();
    wireB.deliver(A, wireA.sent[0]!.payload);
    await clock.advance(1);
    expect([wireA.sent.length, wireB.sent.length]).to.deep.equal([1, 0]);
  });

  it('drops what is no frame', async () => {
    const { clock, wireB, b } = byHand();
    wireB.deliver(A, bytesOf(peerChannels.request, 1, 2));
    wireB.deliver(A, bytesOf(peerChannels.response));
    const negative = new Uint8Array(40).fill(0xff);
    negative[0] = peerChannels.request;
    wireB.deliver(A, negative);
    await clock.runUntilIdle();
    expect([b.ignored, wireB.sent.length]).to.deep.equal([3, 0]);
  });

  for (let seed = 1; seed <= 20; seed++) {
    it(`over a network that loses, repeats and reorders: at most once, no lie, nothing left (seed ${seed})`, async () => {
      const { clock, network, a, b } = cluster(seed);
      network.faults = { dropOneIn: 5, duplicateOneIn: 3, reorderOneIn: 3 };
      const prng = new SimPrng(seed + 100);
      const executed = new Map<number, number>();
      b.serve(ECHO, async (_from, body) => {
        const value = body[0]! + 256 * body[1]!;
        executed.set(value, (executed.get(value) ?? 0) + 1);
        await new Promise<void>((resolve) => void clock.setTimer(prng.below(30), resolve));
        return body;
      });
      const answers: string[] = [];
      const startedMs: number[] = [];
      for (let value = 0; value < 400; value++) {
        startedMs[value] = clock.monotonicMs();
        const sent = bytesOf(value % 256, value >> 8);
        void a.call(B, ECHO, sent, 40).then((answer) => {
          answers[value] = outcome(answer);
          const tookMs = clock.monotonicMs() - startedMs[value]!;
          expect(tookMs).to.be.at.most(40 + 1e-6);
          if (answer.ok) expect([...answer.body]).to.deep.equal([...sent]);
          else expect([answer.error, Math.round(tookMs)]).to.deep.equal(['REQUEST_TIMED_OUT', 40]);
        });
        await clock.advance(prng.below(5));
      }
      await clock.runUntilIdle();
      expect(answers.length).to.equal(400);
      expect(Math.max(...executed.values()), 'executions of one request').to.equal(1);
      const succeeded = answers.filter((answer) => answer.startsWith('ok')).length;
      expect(succeeded).to.be.within(150, 399);
      for (const [value, answer] of answers.entries()) {
        if (answer.startsWith('ok')) expect(executed.get(value)).to.equal(1);
      }
      expect([a.waitingCalls, b.servedRequests, clock.pending]).to.deep.equal([0, 0, 0]);
      expect(b.ignored, 'the network did repeat').to.be.above(50);
    });
  }
});

describe('the window of a caller’s requests', () => {
  it('admits each number once, in whatever order they come', () => {
    const numbers = fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 600 });
    fc.assert(
      fc.property(numbers, (sequences) => {
        const window = new PeerRequestWindow();
        const seen = new Set<number>();
        for (const sequence of sequences) {
          expect(window.admit(sequence)).to.equal(!seen.has(sequence));
          seen.add(sequence);
        }
      }),
    );
  });

  it('admits no number twice although it forgets them, and none that is older than what it forgot', () => {
    const window = new PeerRequestWindow();
    // A server that starts later than its caller, and a caller half of whose requests are lost.
    for (let sequence = 1_000_000; sequence < 1_100_000; sequence += 2) {
      expect(window.admit(sequence)).to.equal(true);
      expect(window.admit(sequence)).to.equal(false);
      expect(window.admit(sequence - 4 * REORDER_WINDOW)).to.equal(false);
    }
    expect(window.admit(1_100_000 - REORDER_WINDOW + 1), 'late, and within the window').to.equal(true);
  });

  it('takes no drift of clocks for lateness', () => {
    const window = new PeerRequestWindow();
    // The caller's clock goes 500 ppm slower than ours, for a week, with a request every minute.
    for (let minute = 0; minute < 7 * 24 * 60; minute++) {
      expect(window.lateMs(minute * 60_000 * 0.9995, minute * 60_000 + 5_000_000)).to.equal(0);
    }
  });
});

describe('the frames of PeerRequests', () => {
  const count = fc.maxSafeNat();
  const body = fc.uint8Array({ maxLength: 50 });

  it('come back as they were sent', () => {
    const request = fc.record({
      kind: fc.integer({ min: 0, max: 255 }),
      incarnation: count,
      sequence: count,
      sentAtMs: count,
      timeoutMs: fc.integer({ min: 0, max: 2 ** 31 - 1 }),
      body,
    });
    fc.assert(
      fc.property(request, (frame) => {
        expect(decodeRequestFrame(encodeRequestFrame(frame).subarray(1))).to.deep.equal(frame);
      }),
    );
    const answer = fc.oneof(
      body.map((bytes): PeerAnswer => ({ ok: true, body: bytes })),
      fc.string({ unit: 'grapheme' }).map((message): PeerAnswer => failure('UNKNOWN_SERVER_ERROR', message)),
      fc.string().map((message): PeerAnswer => failure('NOT_CONTROLLER', message)),
    );
    fc.assert(
      fc.property(count, count, answer, (incarnation, sequence, given) => {
        const frame = { incarnation, sequence, answer: given };
        expect(decodeAnswerFrame(encodeAnswerFrame(frame).subarray(1))).to.deep.equal(frame);
      }),
    );
  });

  it('never throw on bytes from anywhere', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        decodeRequestFrame(bytes);
        decodeAnswerFrame(bytes);
      }),
    );
  });
});
