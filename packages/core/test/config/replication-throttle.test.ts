// KIP-73: who is throttled, and how much, as operators write it.
import { expect } from 'chai';
import {
  brokerConfigs,
  brokerConfigWith,
  brokerId,
  checkBrokerOverrides,
  checkTopicOverrides,
  describeProblems,
  isThrottledReplica,
  partitionIndex,
  replicationThrottleRates,
  resolveConfig,
  throttledReplicas,
  topicConfigOf,
} from '@tidemark/core';

const overrides = (record: Record<string, string>) => new Map(Object.entries(record));
const LEADERS = 'leader.replication.throttled.replicas';
const FOLLOWERS = 'follower.replication.throttled.replicas';

function broker() {
  const result = resolveConfig(brokerConfigs, {});
  if (!result.ok) throw new Error(describeProblems(result.problems));
  return result.config;
}

function throttled(text: string, partition: number, id: number): boolean {
  const config = topicConfigOf(broker(), overrides({ [LEADERS]: text }));
  return isThrottledReplica(throttledReplicas(config.get(LEADERS)), partitionIndex(partition), brokerId(id));
}

describe('replication throttles', () => {
  it('hold for the listed replicas, for all, or for none', () => {
    expect(throttled('0:1,0:2,3:1', 0, 2)).to.equal(true);
    expect(throttled('0:1,0:2,3:1', 3, 1)).to.equal(true);
    expect(throttled('0:1,0:2,3:1', 3, 2)).to.equal(false);
    expect(throttled('0:1,0:2,3:1', 1, 1)).to.equal(false);
    expect(throttled('*', 7, 9)).to.equal(true);
    expect(throttled('', 0, 1)).to.equal(false);
  });

  it('belong to topics alone, and are nobody’s unless set', () => {
    const config = topicConfigOf(broker(), new Map());
    expect(config.get(LEADERS)).to.deep.equal([]);
    expect(config.get(FOLLOWERS)).to.deep.equal([]);
    expect(
      describeProblems(checkBrokerOverrides(overrides({ [FOLLOWERS]: '*' }), 'dynamic-broker')),
    ).to.contain('It is a topic config');
  });

  it('are refused when they name no replicas', () => {
    const say = (text: string) => describeProblems(checkTopicOverrides(overrides({ [FOLLOWERS]: text })));
    for (const fine of ['', '*', '0:1', '0:1, 12:1001']) expect(say(fine), fine).to.equal('');
    for (const wrong of ['0', '0:', ':1', '-1:1', '0:1:2', 'a:b', '0:99999999999', '**']) {
      expect(say(wrong), wrong).to.contain('is not of the form partition:broker');
    }
    expect(say('*,0:1')).to.contain('names single replicas beside *');
    expect(say('0:1,0:1')).to.contain('twice');
  });

  it('have a rate for each broker, which may change at run time and is unlimited unless set', () => {
    expect(replicationThrottleRates(broker())).to.deep.equal({
      leaderBytesPerSecond: Infinity,
      followerBytesPerSecond: Infinity,
    });
    const all = overrides({ 'leader.replication.throttled.rate': '5000' });
    const one = overrides({ 'leader.replication.throttled.rate': '7000' });
    expect(checkBrokerOverrides(one, 'dynamic-broker')).to.deep.equal([]);
    expect(replicationThrottleRates(brokerConfigWith(broker(), all, one))).to.deep.equal({
      leaderBytesPerSecond: 7000,
      followerBytesPerSecond: Infinity,
    });
    const zero = overrides({ 'follower.replication.throttled.rate': '0' });
    expect(describeProblems(checkBrokerOverrides(zero, 'dynamic-broker'))).to.contain(
      'below the smallest value',
    );
  });
});
