// What a leader puts into one message reaches the follower, whatever requests of clients are held to.

import { expect } from 'chai';
import type { NodeId } from '@tidemark/core';
import { GrpcListener } from '@tidemark/rpc';
import { GrpcNetwork } from '../src/grpc-network.ts';
import { grpcLimits, receiveMemories } from '../src/listeners.ts';
import { NodeClock } from '../src/node-clock.ts';
import { peerQueueBytes } from '../src/peer-limits.ts';
import { testConfig } from './harness.ts';

const MIB = 1024 * 1024;

const settings = {
  'small requests of clients': { 'socket.request.max.bytes': 2 * MIB, 'queued.max.request.bytes': 2 * MIB },
  'large messages of leaders': { 'replica.fetch.response.max.bytes': 80 * MIB },
  'large batches': { 'message.max.bytes': 90 * MIB, 'max.inflated.batch.bytes': 90 * MIB },
} as const;

describe('the largest message of a leader', () => {
  for (const [what, changes] of Object.entries(settings)) {
    it(`reaches its follower with ${what}`, async () => {
      const strings = Object.entries(changes).map(([name, value]) => [name, String(value)]);
      const config = testConfig('/nowhere', Object.fromEntries(strings) as Record<string, string>);
      const addresses = new Map<number, string>();
      const clock = new NodeClock();
      const [leader, follower] = ([1, 2] as NodeId[]).map(
        (self) =>
          new GrpcNetwork({
            self,
            clock,
            addressOf: (id) => addresses.get(id),
            maxQueuedBytes: peerQueueBytes(config),
          }),
      ) as [GrpcNetwork, GrpcNetwork];
      const listener = new GrpcListener(grpcLimits(config, 'PEER'), undefined, receiveMemories(config).PEER);
      addresses.set(2, `127.0.0.1:${await listener.listen('127.0.0.1', 0)}`);
      listener.serve([follower.service()]);
      const arrived = new Promise<number>((resolve) => {
        follower.onMessage(({ payload }) => resolve(payload.length));
      });
      const bytes =
        config.get('replica.fetch.response.max.bytes') - 1 + config.get('message.max.bytes') + 1000;
      expect(leader.send(2 as NodeId, new Uint8Array(bytes), 'bulk')).to.equal(true);
      expect(await arrived).to.equal(bytes);
      await Promise.all([leader.close(), follower.close(), listener.close(0)]);
    }).timeout(20_000);
  }
});
