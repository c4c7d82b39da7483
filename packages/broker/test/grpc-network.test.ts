import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { expect } from 'chai';
import { defaultGrpcLimits, GrpcListener, healthHandlers, HealthRegistry, peerService } from '@tidemark/rpc';
import { networkConformance } from '@tidemark/simulation';
import { Client, credentials, status, type ServiceError } from '@grpc/grpc-js';
import type { Clock, Network, NodeId, Timer } from '@tidemark/core';
import { GrpcNetwork, PEER_CONNECT_TIMEOUT_MS } from '../src/grpc-network.ts';
import { NodeClock } from '../src/node-clock.ts';

const LIMIT_BYTES = 4 * 1024 * 1024;

/** Node's time, but timers run only when the test says so. */
class HandClock extends NodeClock implements Clock {
  readonly #timers = new Set<{ readonly delayMs: number; readonly callback: () => void }>();

  override setTimer(delayMs: number, callback: () => void): Timer {
    const timer = { delayMs, callback };
    this.#timers.add(timer);
    return { cancel: () => void this.#timers.delete(timer) };
  }

  fire(delayMs: number): void {
    for (const timer of [...this.#timers]) {
      if (timer.delayMs === delayMs && this.#timers.delete(timer)) timer.callback();
    }
  }
}

/** Time stands still unless the test moves it; timers run as always. */
class StandingClock extends NodeClock implements Clock {
  nowMs = 0;

  override monotonicMs(): number {
    return this.nowMs;
  }
}

/** Whether anybody listens at a peer is asked no oftener. */
const PROBE_INTERVAL_MS = 120;

const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
};

/** A TCP server on a port of this machine, and what has connected to it. */
async function tcpServer(
  onConnection: (socket: Socket) => void,
): Promise<{ readonly server: Server; readonly sockets: Socket[]; readonly port: number }> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => socket.destroy());
    onConnection(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, sockets, port: (server.address() as AddressInfo).port };
}

/** As every protocol above does: sends until it has arrived; what was sent before may come first. */
async function sendUntilHeard(from: Network, to: Network, byte: number): Promise<void> {
  const arrived = new Promise<void>((resolve) => {
    to.onMessage(({ payload }) => {
      if (payload[0] === byte) resolve();
    });
  });
  const retry = setInterval(() => from.send(to.self, new Uint8Array([byte])), 10);
  await arrived;
  clearInterval(retry);
}

/** Three nodes on ports of this machine. */
async function threeNodes(
  listeners: GrpcListener[],
  { clock = new NodeClock(), keepaliveMs = 2000 }: { clock?: Clock; keepaliveMs?: number } = {},
) {
  const addresses = new Map<number, string>();
  const node = async (id: number): Promise<GrpcNetwork> => {
    const network = new GrpcNetwork({
      self: id as NodeId,
      clock,
      addressOf: (other) => addresses.get(other),
      maxQueuedBytes: LIMIT_BYTES,
      keepaliveMs,
    });
    const listener = new GrpcListener(defaultGrpcLimits);
    listeners.push(listener);
    addresses.set(id, `127.0.0.1:${await listener.listen('127.0.0.1', 0)}`);
    listener.serve([network.service(), healthHandlers(new HealthRegistry())]);
    return network;
  };
  return {
    nodes: [await node(1), await node(2), await node(3)] as const,
    limitBytes: LIMIT_BYTES,
    addresses,
  };
}

describe('GrpcNetwork is a Network', () => {
  let listeners: GrpcListener[] = [];
  afterEach(async () => {
    await Promise.all(listeners.map((listener) => listener.close(0)));
    listeners = [];
  });

  for (const { name, run } of networkConformance) it(name, () => run(() => threeNodes(listeners)));

  it('drops what is for a peer that is down, and reaches it once it is there again', async () => {
    const { nodes, addresses } = await threeNodes(listeners);
    const [a, b] = nodes;
    const port = Number(addresses.get(2)!.split(':')[1]);
    await listeners[1]!.close(0);
    a.send(b.self, new Uint8Array([1]));
    const again = new GrpcListener(defaultGrpcLimits);
    await again.listen('127.0.0.1', port);
    again.serve([b.service()]);
    listeners.push(again);
    await sendUntilHeard(a, b, 2);
    await Promise.all(nodes.map((each) => each.close()));
  });

  it('tells what waits for each peer, and counts what it did not take', async () => {
    const { nodes, limitBytes } = await threeNodes(listeners);
    const [a, b] = nodes;
    expect(a.queues()).to.deep.equal([]);
    expect(a.send(b.self, new Uint8Array(limitBytes))).to.equal(true);
    expect(a.send(b.self, new Uint8Array(1))).to.equal(false);
    expect(a.send(b.self, new Uint8Array(7), 'bulk')).to.equal(true);
    expect(a.queues()).to.deep.equal([
      { peer: b.self, lane: 'control', queuedBytes: limitBytes, dropped: 1 },
      { peer: b.self, lane: 'bulk', queuedBytes: 7, dropped: 0 },
    ]);
    await Promise.all(nodes.map((each) => each.close()));
  });

  it('tells of a peer that is gone, each attempt once, and of nobody else', async () => {
    const clock = new StandingClock();
    const { nodes, addresses } = await threeNodes(listeners, { clock });
    const [a, b, c] = nodes;
    const refused: number[] = [];
    a.onRefused((peer) => refused.push(peer));
    await sendUntilHeard(a, b, 1);
    const port = Number(addresses.get(2)!.split(':')[1]);
    await listeners[1]!.close(0);
    let turns = 0;
    const sending = setInterval(() => {
      for (let more = 0; more < 20; more++) a.send(b.self, new Uint8Array(1));
      a.send(c.self, new Uint8Array(1));
      turns += 1;
    }, 5);
    const startMs = clock.nowMs;
    while (refused.length < 4) {
      const turn = turns;
      clock.nowMs += PROBE_INTERVAL_MS / 12;
      await until(() => turns >= turn + 2);
      const attempts = Math.floor((clock.nowMs - startMs) / PROBE_INTERVAL_MS) + 1;
      expect(refused.length, 'however much is sent').to.be.at.most(attempts);
    }
    expect(new Set(refused)).to.deep.equal(new Set([2]));
    clearInterval(sending);
    const again = new GrpcListener(defaultGrpcLimits);
    await again.listen('127.0.0.1', port);
    again.serve([b.service()]);
    listeners.push(again);
    const passing = setInterval(() => (clock.nowMs += PROBE_INTERVAL_MS), 5);
    await sendUntilHeard(a, b, 2);
    clearInterval(passing);
    await Promise.all(nodes.map((each) => each.close()));
  });

  it('tells nothing of a peer that accepts and never speaks', async () => {
    const clock = new HandClock();
    const { nodes, addresses } = await threeNodes(listeners, { clock });
    const [a, b] = nodes;
    let refusals = 0;
    a.onRefused(() => (refusals += 1));
    const mute = await tcpServer(() => undefined);
    addresses.set(2, `127.0.0.1:${mute.port}`);
    const sending = setInterval(() => a.send(b.self, new Uint8Array(1)), 5);
    await until(() => mute.sockets.length === 1);
    clock.fire(PEER_CONNECT_TIMEOUT_MS);
    // The probe's connection and that of the next attempt.
    await until(() => mute.sockets.length === 3);
    clearInterval(sending);
    expect(refusals).to.equal(0);
    for (const socket of mute.sockets) socket.destroy();
    mute.server.close();
    await Promise.all(nodes.map((each) => each.close()));
  });

  it('refuses a stream that is meant for another node, or changes its sender', async () => {
    const { nodes, addresses } = await threeNodes(listeners);
    const client = new Client(addresses.get(1)!, credentials.createInsecure());
    const { path, requestSerialize, responseDeserialize } = peerService.Send;
    const refusal = (...messages: { from: number; to: number }[]): Promise<ServiceError | null> =>
      new Promise((resolve) => {
        const call = client.makeClientStreamRequest(path, requestSerialize, responseDeserialize, resolve);
        for (const message of messages) call.write({ ...message, payload: Buffer.alloc(1) });
      });
    expect((await refusal({ from: 2, to: 9 }))?.code).to.equal(status.INVALID_ARGUMENT);
    expect((await refusal({ from: 2, to: 1 }, { from: 3, to: 1 }))?.details).to.contain('one sender');
    client.close();
    await Promise.all(nodes.map((each) => each.close()));
  });

  it('gives up a peer that accepts and never speaks, holds up nobody for it, and reaches it once it is real', async () => {
    const clock = new HandClock();
    const { nodes, addresses } = await threeNodes(listeners, { clock });
    const [a, b, c] = nodes;
    const mute = await tcpServer(() => undefined);
    addresses.set(2, `127.0.0.1:${mute.port}`);
    const chunk = new Uint8Array(LIMIT_BYTES / 4);
    expect(a.send(b.self, chunk)).to.equal(true);
    await until(() => mute.sockets.length === 1);
    let taken = 1;
    while (a.send(b.self, chunk)) taken += 1;
    expect(taken, 'what waits for it is bounded').to.equal(4);
    await sendUntilHeard(a, c, 7);
    // The attempt is thrown away after its time, and the next one meets silence again.
    clock.fire(PEER_CONNECT_TIMEOUT_MS);
    const retry = setInterval(() => a.send(b.self, new Uint8Array([1])), 10);
    await until(() => mute.sockets.length === 2);
    clearInterval(retry);
    expect(a.send(b.self, chunk), 'what waited for the first attempt is lost').to.equal(true);
    // It stays half-open; from now on its port is a real node's.
    mute.server.close();
    await new Promise((resolve) => setImmediate(resolve));
    const real = new GrpcListener(defaultGrpcLimits);
    listeners.push(real);
    await real.listen('127.0.0.1', mute.port);
    real.serve([b.service()]);
    clock.fire(PEER_CONNECT_TIMEOUT_MS);
    await sendUntilHeard(a, b, 9);
    for (const socket of mute.sockets) socket.destroy();
    await Promise.all(nodes.map((each) => each.close()));
  });

  it('finds out by a ping that an established connection has fallen silent, and makes another', async () => {
    const { nodes, addresses } = await threeNodes(listeners, { keepaliveMs: 50 });
    const [a, b] = nodes;
    const port = Number(addresses.get(2)!.split(':')[1]);
    const outbound: Socket[] = [];
    const proxy = await tcpServer((socket) => {
      const onward = connect(port, '127.0.0.1');
      onward.on('error', () => onward.destroy());
      outbound.push(onward);
      socket.pipe(onward);
      onward.pipe(socket);
    });
    addresses.set(2, `127.0.0.1:${proxy.port}`);
    await sendUntilHeard(a, b, 1);
    expect(outbound.length).to.equal(1);
    // Whatever either side says on this connection is swallowed; neither hears that it is gone.
    proxy.sockets[0]!.unpipe().resume();
    outbound[0]!.unpipe().resume();
    await sendUntilHeard(a, b, 2);
    expect(outbound.length).to.equal(2);
    for (const socket of [...proxy.sockets, ...outbound]) socket.destroy();
    proxy.server.close();
    await Promise.all(nodes.map((each) => each.close()));
  });

  it('follows a peer to another address', async () => {
    const { nodes, addresses } = await threeNodes(listeners);
    const [a, b] = nodes;
    await sendUntilHeard(a, b, 1);
    const elsewhere = new GrpcListener(defaultGrpcLimits);
    listeners.push(elsewhere);
    addresses.set(2, `127.0.0.1:${await elsewhere.listen('127.0.0.1', 0)}`);
    elsewhere.serve([b.service()]);
    // The old listener is still there: only the address says where to send.
    await sendUntilHeard(a, b, 2);
    expect(elsewhere.connectionCount).to.equal(1);
    addresses.delete(2);
    expect(a.send(b.self, new Uint8Array(1))).to.equal(false);
    await Promise.all(nodes.map((each) => each.close()));
  });
});
