import { expect } from 'chai';
import { defaultGrpcLimits, GrpcListener, healthHandlers, HealthRegistry, peerService } from '@tidemark/rpc';
import { networkConformance } from '@tidemark/simulation';
import { Client, credentials, status, type ServiceError } from '@grpc/grpc-js';
import type { NodeId } from '@tidemark/core';
import { NodeClock } from '@tidemark/broker';
import { GrpcNetwork } from '../src/grpc-network.ts';

const LIMIT_BYTES = 4 * 1024 * 1024;

/** Three nodes on ports of this machine. */
async function threeNodes(listeners: GrpcListener[]) {
  const addresses = new Map<number, string>();
  const clock = new NodeClock();
  const node = async (id: number): Promise<GrpcNetwork> => {
    const network = new GrpcNetwork({
      self: id as NodeId,
      clock,
      addressOf: (other) => addresses.get(other),
      maxQueuedBytes: LIMIT_BYTES,
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
    const arrived = new Promise<number>((resolve) => b.onMessage(({ payload }) => resolve(payload[0]!)));
    // As every protocol above does: send until an answer comes.
    const retry = setInterval(() => a.send(b.self, new Uint8Array([2])), 20);
    const first = await arrived;
    clearInterval(retry);
    expect(first).to.be.oneOf([1, 2]);
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
});
