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
    tenure: () => settings,
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

describe('a commit that is on its way while its member loses what it has', () => {
  const at = { topic: 'orders', partition: 0 };

  /** A coordinator that answers when the test says so. */
  function slow() {
    const clock = new TestClock();
    const asked: {
      readonly generationId: number;
      readonly offset: number;
      readonly fail: () => void;
      readonly succeed: () => void;
    }[] = [];
    const unary = (
      _address: string,
      { path }: { readonly path: string },
      request: unknown,
    ): Promise<never> => {
      const coordinator = { groupId: 'billing', error: null, nodeId: 1, host: 'broker', port: 9290 };
      if (path.endsWith('FindCoordinator')) return Promise.resolve({ coordinators: [coordinator] } as never);
      const { generationId, offsets } = request as {
        readonly generationId: number;
        readonly offsets: readonly { readonly offset: number }[];
      };
      return new Promise((resolve, reject) => {
        const fail = (): void => reject(new TidemarkError('NETWORK_EXCEPTION', 'no answer'));
        const succeed = (): void => resolve({ error: null, results: [{ error: null }] } as never);
        const { offset } = offsets[0]!;
        // The second coordinator is not slow.
        if (asked.push({ generationId, offset, fail, succeed }) > 1) succeed();
      });
    };
    const calls = new CoordinatorCalls({
      ...{ groupId: 'billing', transport: { anyAddress: () => 'broker:9290', unary }, clock },
      ...{ random: () => 0.5, requestTimeoutMs: 30_000, retryBackoff: settings.retryBackoff },
    });
    const committer = {
      ...{ isClosing: false, isMember: true, isInRound: false },
      identity: { memberId: 'one', generation: 5 },
      owned: {} as object | undefined,
      tenure: (): object | undefined => committer.owned,
      refused: () => undefined,
    };
    const onCommitted = (): void => undefined;
    const commits = new OffsetCommits({ settings, clock, random: () => 0.5, calls, committer, onCommitted });
    return { asked, committer, commits };
  }

  it('is not sent again when it has the partition anew: somebody else has committed there', async () => {
    const { asked, committer, commits } = slow();
    const failed = rejection(commits.commit([{ ...at, offset: 100 }]));
    while (asked.length === 0) await Promise.resolve();
    // Its session has ended, another read up to 500, and now it has joined again and has the partition back.
    committer.identity = { memberId: 'two', generation: 7 };
    committer.owned = {};
    asked[0]!.fail();
    expect(await failed)
      .to.be.instanceOf(TidemarkError)
      .with.property('error', 'ILLEGAL_GENERATION');
    expect(asked.map(({ generationId, offset }) => [generationId, offset])).to.deep.equal([[5, 100]]);
  });

  it('is not what was committed last of the partition that it has anew', async () => {
    const { asked, committer, commits } = slow();
    const done = commits.commit([{ ...at, offset: 100 }]);
    while (asked.length === 0) await Promise.resolve();
    commits.forget(at);
    committer.owned = {};
    asked[0]!.succeed();
    await done;
    // Else an automatic commit of the same offset would be left out.
    expect(commits.last(at)).to.equal(undefined);
  });

  it('is sent again in the next generation when it has kept the partition', async () => {
    const { asked, committer, commits } = slow();
    const done = commits.commit([{ ...at, offset: 100 }]);
    while (asked.length === 0) await Promise.resolve();
    committer.identity = { memberId: 'one', generation: 6 };
    asked[0]!.fail();
    await done;
    expect(asked.map(({ generationId, offset }) => [generationId, offset])).to.deep.equal([
      [5, 100],
      [6, 100],
    ]);
  });
});
