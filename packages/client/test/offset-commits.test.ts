// Commits between two generations: how long a member waits for the next one, which it may not be part of.
import { TidemarkError } from '@tidemark/core';
import { expect } from 'chai';
import type { GroupSettings } from '../src/consumer-settings.ts';
import { CoordinatorCalls } from '../src/group/coordinator-calls.ts';
import { OffsetCommits } from '../src/group/offset-commits.ts';
import { rejection } from './fixture.ts';
import { TestClock } from './test-clock.ts';

const settings = {
  groupId: 'billing',
  instanceId: undefined,
  apiTimeoutMs: 60_000,
  retryBackoff: { firstMs: 100, maxMs: 1_000 },
} as GroupSettings;

/** A group that waits for its leader to assign, and is answered for by a coordinator that says so. */
function betweenGenerations(isClosing: boolean): {
  readonly clock: TestClock;
  readonly commits: OffsetCommits;
} {
  const clock = new TestClock();
  const error = { code: 27, name: 'REBALANCE_IN_PROGRESS', message: 'join again', retriable: false };
  const unary = (_address: string, { path }: { readonly path: string }): Promise<never> => {
    const coordinator = { groupId: 'billing', error: null, nodeId: 1, host: 'broker', port: 9290 };
    const answer = path.endsWith('FindCoordinator')
      ? { coordinators: [coordinator] }
      : { results: [], error };
    return Promise.resolve(answer as never);
  };
  const calls = new CoordinatorCalls({
    groupId: 'billing',
    transport: { anyAddress: () => 'broker:9290', unary },
    clock,
    random: () => 0.5,
    requestTimeoutMs: 30_000,
    retryBackoff: settings.retryBackoff,
  });
  const identity = { memberId: 'one', generation: 5 };
  const committer = {
    ...{ identity, isClosing, isMember: true, isInRound: false },
    owns: () => true,
    refused: () => undefined,
  };
  const onCommitted = (): void => undefined;
  return {
    clock,
    commits: new OffsetCommits({ settings, clock, random: () => 0.5, calls, committer, onCommitted }),
  };
}

describe('a commit while no generation is complete', () => {
  const offsets = [{ topic: 'orders', partition: 0, offset: 7 }];

  for (const [who, isClosing, mostMs] of [
    ['of a member that stays waits as long as it may', false, 60_000],
    ['of one that closes waits a second, since whoever should complete it may be closing, too', true, 1_000],
  ] as const) {
    it(who, async () => {
      const { clock, commits } = betweenGenerations(isClosing);
      const beganMs = clock.monotonicMs();
      const error = await rejection(commits.commit(offsets, { timeoutMs: 60_000 }));
      expect(error).to.be.instanceOf(TidemarkError).with.property('error', 'REBALANCE_IN_PROGRESS');
      expect(clock.monotonicMs() - beganMs).to.be.within(mostMs * 0.3, mostMs);
    });
  }
});
