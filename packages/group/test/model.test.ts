import type { PartitionIndex } from '@tidemark/core';
import {
  encodeAssignment,
  type Generation,
  type GroupId,
  type MemberId,
  type RequestId,
  type SyncRequest,
} from '@tidemark/group';
import { expect } from 'chai';
import { ModelChecker } from './model-checker.ts';
import { GroupModel } from './model.ts';

const RUNS = Number(process.env['GROUP_MODEL_RUNS'] ?? 25);
const FIRST_SEED = Number(process.env['GROUP_MODEL_SEED'] ?? 1);

describe('a group under random trouble', () => {
  it('has one owner for each partition and generation, loses no committed offset, answers everybody and settles', () => {
    const total = { assignments: 0, commits: 0, staleCommits: 0, refused: 0, moves: 0 };
    for (let seed = FIRST_SEED; seed < FIRST_SEED + RUNS; seed++) {
      try {
        const model = new GroupModel(seed);
        model.run(1_500);
        model.heal();
        const { assignments, commits, staleCommits, refused } = model.checker.counts;
        total.assignments += assignments;
        total.commits += commits;
        total.staleCommits += staleCommits;
        total.refused += refused;
        total.moves += model.moves;
      } catch (error) {
        throw new Error(`seed ${seed}: GROUP_MODEL_SEED=${seed} GROUP_MODEL_RUNS=1`, { cause: error });
      }
    }
    // A run in which nothing happens proves nothing.
    for (const [what, count] of Object.entries(total)) expect(count, what).above(RUNS);
  }).timeout(60_000);

  it('is checked: two owners of one partition in one generation are found', () => {
    const checker = new ModelChecker();
    const partitions = [{ topic: 't', partition: 0 as PartitionIndex }];
    const assignment = encodeAssignment({ partitions, userData: undefined });
    const tell = (memberId: string, id: number): void => {
      const request: SyncRequest = {
        type: 'sync',
        requestId: id as RequestId,
        groupId: 'g' as GroupId,
        memberId: memberId as MemberId,
        instanceId: undefined,
        generation: 1 as Generation,
        protocolType: undefined,
        protocol: undefined,
        assignments: new Map(),
      };
      checker.asked(request);
      const response = { ok: true as const, protocolType: 'consumer', protocol: 'range', assignment };
      checker.replied({ type: 'sync', requestId: request.requestId, response });
    };
    tell('a', 1);
    tell('a', 2);
    expect(() => tell('b', 3)).throws('belongs to a and to b');
  });
});
