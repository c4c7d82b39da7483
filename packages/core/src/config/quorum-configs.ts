// The configuration of the metadata quorum and of a node's place in the cluster: who votes, how soon a silent leader or broker is
// given up, what of the metadata log is kept. Kafka's names and defaults (QuorumConfig, KRaftConfigs, ServerConfigs); a key that
// Kafka does not have is marked as our own.

import { boolean, int, list, long, type ConfigValue } from './descriptor.ts';
import { checkVoters } from './quorum-voters.ts';

const MIB = 1_048_576;

const votersCheck = (value: ConfigValue) => checkVoters(value as readonly string[]);

const quorumSpecs = {
  'controller.quorum.voters': list([], {
    check: votersCheck,
    doc: 'The controllers that vote when the cluster starts for the first time, `id@host:port` each, with the address of their PEER listener; at most 9, an odd number. Empty: this node is the quorum alone. On later starts the voters are those the metadata log has. A controller that is not named here joins the quorum that is, as an observer, and votes once it was added with `tidemark quorum add-voter`; a node without the controller role finds the quorum here.',
  }),
  'controller.quorum.election.timeout.ms': int(1000, {
    min: 1,
    unit: 'ms',
    doc: 'A voter that has heard of no leader for so long, and up to as much longer at random, asks for an election. A leader speaks five times as often, and one whose host refuses connections is not waited for once it has missed a heartbeat.',
  }),
  'controller.quorum.fetch.timeout.ms': int(2000, {
    min: 1,
    unit: 'ms',
    doc: 'A leader that a majority of the voters has not answered for so long resigns.',
  }),
  'controller.quorum.append.linger.ms': int(25, {
    unit: 'ms',
    doc: 'How long metadata entries may wait for others, to be written with one fsync. They wait only while others are under way; an idle quorum writes at once.',
  }),
  'controller.quorum.request.timeout.ms': int(2000, {
    min: 1,
    unit: 'ms',
    doc: 'How long a node waits for another’s answer before it asks again.',
  }),
  'controller.quorum.retry.backoff.ms': int(20, {
    min: 1,
    unit: 'ms',
    doc: 'The pause before a request to another node is repeated.',
  }),
  'controller.quorum.preferred.leader': int(-1, {
    min: -1,
    own: true,
    doc: 'The node id of the voter that should lead the quorum when it can; whoever leads instead hands over once that one is caught up. -1: none.',
  }),
};

const metadataLogSpecs = {
  'metadata.log.segment.bytes': int(1024 * MIB, {
    min: MIB,
    unit: 'bytes',
    doc: 'Size at which a segment of the metadata log is closed and the next one begun.',
  }),
  'metadata.log.max.record.bytes.between.snapshots': long(20 * MIB, {
    min: 1,
    unit: 'bytes',
    doc: 'Bytes of the metadata log after which a snapshot is made.',
  }),
  'metadata.log.max.snapshot.interval.ms': long(3_600_000, {
    unit: 'ms',
    doc: 'Time after which a snapshot is made when anything was committed since the last; 0 leaves it to the bytes.',
  }),
  'metadata.max.retention.bytes': long(100 * MIB, {
    min: -1,
    unit: 'bytes',
    doc: 'Size of the metadata log above which its oldest segments are removed, as far as a snapshot covers them; -1 sets no limit.',
  }),
  'metadata.max.retention.ms': long(604_800_000, {
    min: -1,
    unit: 'ms',
    doc: 'Age at which segments of the metadata log may be removed, as far as a snapshot covers them; -1 keeps them for ever.',
  }),
};

const membershipSpecs = {
  'broker.heartbeat.interval.ms': int(2000, {
    min: 1,
    unit: 'ms',
    doc: 'How often a broker tells the controller that it is there.',
  }),
  'broker.session.timeout.ms': int(9000, {
    min: 1,
    unit: 'ms',
    doc: 'After so long without a heartbeat a broker is fenced: others lead in its place.',
  }),
  'broker.refused.timeout.ms': int(500, {
    own: true,
    unit: 'ms',
    doc: 'After so long in which a broker without a heartbeat refuses connections, as a process that died does, it is fenced before its session is over; 0 always waits for the session.',
  }),
  'controlled.shutdown.enable': boolean(true, {
    doc: 'Whether a broker that is told to stop first hands over what it leads.',
  }),
  'controlled.shutdown.timeout.ms': int(30_000, {
    own: true,
    unit: 'ms',
    doc: 'How long a broker that is told to stop waits until it leads nothing any more.',
  }),
};

const leadershipSpecs = {
  'unclean.leader.election.enable': boolean(false, {
    topicOverride: 'unclean.leader.election.enable',
    dynamic: true,
    doc: 'Whether a replica that is not in sync may lead when no other can. Acknowledged records may then be lost.',
  }),
  'auto.leader.rebalance.enable': boolean(true, {
    doc: 'Whether the controller gives partitions back to their preferred leaders now and then.',
  }),
  'leader.imbalance.check.interval.seconds': long(300, {
    min: 1,
    doc: 'How often, in seconds, the controller looks whether leaders should be given back.',
  }),
  'leader.imbalance.per.broker.percentage': int(10, {
    doc: 'Of the partitions that prefer a broker, the share in percent that others may lead before they are given back.',
  }),
};

/** Spread into the table of the node's configs. */
export const clusterSpecs = { ...quorumSpecs, ...metadataLogSpecs, ...membershipSpecs, ...leadershipSpecs };
