import { expect } from 'chai';
import {
  CLUSTER_RESOURCE,
  DECOY_KEY,
  scramCredential,
  type AclBinding,
  type QuotaAlteration,
  type ScramCredential,
} from '@tidemark/controller';
import { isFailure } from '@tidemark/core';
import { TestCluster } from './cluster.ts';

const credential = (user: string, rest: Partial<ScramCredential> = {}): ScramCredential => ({
  user,
  mechanism: 'SCRAM-SHA-256',
  salt: new Uint8Array(16).fill(1),
  storedKey: new Uint8Array(32).fill(2),
  serverKey: new Uint8Array(32).fill(3),
  iterations: 4096,
  ...rest,
});

const acl = (rest: Partial<AclBinding> = {}): AclBinding => ({
  resourceType: 'topic',
  resourceName: 'orders',
  patternType: 'literal',
  principal: 'User:ann',
  host: '*',
  operation: 'read',
  permission: 'allow',
  ...rest,
});

const outcomes = (results: readonly unknown[]): string[] =>
  results.map((result) => (isFailure(result) ? result.error : 'ok'));

describe('credentials', () => {
  const upsert = (cluster: TestCluster, ...upsertions: ScramCredential[]): string[] =>
    outcomes(cluster.must({ type: 'alterScramCredentials', upsertions, deletions: [] }).results);

  it('are kept, replaced and removed, and the first brings the secret behind decoys', () => {
    const cluster = new TestCluster();
    expect(upsert(cluster, credential('ann'), credential('bob', { iterations: 8192 }))).to.deep.equal([
      'ok',
      'ok',
    ]);
    const decoy = cluster.image.access.scram.get(DECOY_KEY)!;
    expect(decoy.salt).to.have.length(32);
    expect(upsert(cluster, credential('ann', { iterations: 16384 }))).to.deep.equal(['ok']);
    expect(scramCredential(cluster.image.access, 'ann', 'SCRAM-SHA-256')?.iterations).to.equal(16384);
    expect(scramCredential(cluster.image.access, 'ann', 'SCRAM-SHA-512')).to.equal(undefined);
    // The decoy is nobody, and stays what it is.
    expect(scramCredential(cluster.image.access, '', 'SCRAM-SHA-256')).to.equal(undefined);
    const { results } = cluster.must({
      type: 'alterScramCredentials',
      upsertions: [],
      deletions: ['ann', 'nobody', ''].map((user) => ({ user, mechanism: 'SCRAM-SHA-256' as const })),
    });
    expect(outcomes(results)).to.deep.equal(['ok', 'RESOURCE_NOT_FOUND', 'RESOURCE_NOT_FOUND']);
    expect(cluster.image.access.scram.get(DECOY_KEY)?.salt).to.deep.equal(decoy.salt);
  });

  it('are refused when they could be guessed, have no name, or are named twice', () => {
    const cluster = new TestCluster();
    for (const bad of [
      credential('a', { iterations: 4095 }),
      credential('a', { iterations: 16385 }),
      credential(''),
      credential('a\0b'),
      credential('a', { salt: new Uint8Array(8) }),
      credential('a', { storedKey: new Uint8Array(31) }),
      credential('a', { mechanism: 'SCRAM-SHA-512' }),
    ]) {
      expect(upsert(cluster, bad)).to.deep.equal(['UNACCEPTABLE_CREDENTIAL']);
    }
    expect(upsert(cluster, credential('a'), credential('a'))).to.deep.equal([
      'DUPLICATE_RESOURCE',
      'DUPLICATE_RESOURCE',
    ]);
    expect(cluster.image.access.scram.size).to.equal(0);
  });
});

describe('ACLs', () => {
  it('are created once and removed by what fits a filter', () => {
    const cluster = new TestCluster();
    const bindings = [acl(), acl({ operation: 'write' }), acl({ principal: 'User:bob' }), acl()];
    expect(outcomes(cluster.must({ type: 'createAcls', bindings }).results)).to.deep.equal([
      'ok',
      'ok',
      'ok',
      'ok',
    ]);
    expect(cluster.image.access.acls.size).to.equal(3);
    cluster.must({ type: 'createAcls', bindings: [acl()] });
    expect(cluster.records).to.deep.equal([]);
    const { results } = cluster.must({
      type: 'deleteAcls',
      filters: [{ principal: 'User:ann' }, { resourceType: 'topic' }, { resourceType: 'group' }],
    });
    expect(results.map(({ deleted }) => deleted.length)).to.deep.equal([2, 1, 0]);
    expect(cluster.image.access.acls.size).to.equal(0);
  });

  it('are refused for what cannot be', () => {
    const cluster = new TestCluster();
    const bindings = [
      acl({ resourceName: '' }),
      acl({ principal: 'ann' }),
      acl({ principal: 'User:' }),
      acl({ host: 'example.com' }),
      acl({ resourceType: 'cluster', resourceName: 'mine' }),
      acl({ resourceType: 'cluster', resourceName: CLUSTER_RESOURCE, operation: 'alter' }),
    ];
    expect(outcomes(cluster.must({ type: 'createAcls', bindings }).results)).to.deep.equal([
      ...Array<string>(5).fill('INVALID_REQUEST'),
      'ok',
    ]);
  });
});

describe('client quotas', () => {
  it('are set and removed one by one', () => {
    const cluster = new TestCluster();
    const alter = (...alterations: QuotaAlteration[]): string[] =>
      outcomes(cluster.must({ type: 'alterClientQuotas', alterations, validateOnly: false }).results);
    const rate = (value: number | null) => ({ name: 'producer_byte_rate', value }) as const;
    const fetchRate = { name: 'consumer_byte_rate', value: 5 } as const;
    expect(
      alter({ user: 'ann', changes: [rate(1000), fetchRate] }, { clientId: '', changes: [rate(5)] }),
    ).to.deep.equal(['ok', 'ok']);
    expect(cluster.image.access.quotas.size).to.equal(2);
    alter({ user: 'ann', changes: [rate(null)] });
    expect(
      [...cluster.image.access.quotas.values()].map(({ values }) => [...values]),
    ).to.deep.include.members([[['consumer_byte_rate', 5]]]);
    alter({ user: 'ann', changes: [{ ...fetchRate, value: null }] });
    expect(cluster.image.access.quotas.size).to.equal(1);
    expect(
      alter(
        { changes: [rate(1)] },
        { user: 'x', changes: [rate(0)] },
        { user: 'y', changes: [rate(1), rate(2)] },
      ),
    ).to.deep.equal(['INVALID_REQUEST', 'INVALID_REQUEST', 'INVALID_REQUEST']);
  });
});
