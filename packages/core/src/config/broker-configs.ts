// The configuration of a node (`tidemark server`). Kafka's names and values, except where Kafka's defaults lose data
// (default.replication.factor, min.insync.replicas, flush.policy, auto.create.topics.enable) and where a limit that Kafka
// does not have keeps memory bounded. A key is here only if this version does something with it.

import { configTable, type Config, type ConfigRule } from './config.ts';
import {
  boolean,
  double,
  int,
  list,
  long,
  oneOf,
  string,
  type ConfigSpec,
  type ConfigValue,
} from './descriptor.ts';
import { checkListeners, isWildcardHost, listenersOf, type Listener } from './listeners.ts';
import { roleListenersRule, roleRule, sessionRule } from './node-role.ts';
import { groupRules, groupSpecs } from './group-configs.ts';
import { clusterSpecs } from './quorum-configs.ts';
import type { ConfigProblem } from './problem.ts';
import { listenerSpecOf, securityElsewhere, securityRule, securitySpecs } from './security-configs.ts';

const DAY_MS = 86_400_000;
const MIB = 1_048_576;
const NO_LIMIT = Number.MAX_SAFE_INTEGER;

const listenerCheck = (value: ConfigValue) => checkListeners(value as readonly string[]);

const nodeSpecs = {
  'node.id': int(1, {
    doc: 'Id of this node, unique in the cluster. It must not change once the node has data.',
  }),
  'process.roles': list(['broker', 'controller'], {
    values: ['broker', 'controller'],
    doc: 'What this process does: `broker` keeps partitions, `controller` decides about the cluster’s metadata, together with the other controllers. Every node holds a copy of the metadata.',
  }),
  'cluster.id': string('', {
    own: true,
    doc: 'The cluster this node belongs to. Empty: made up when the log folder is first used, and read from there afterwards. A node refuses to start on a folder of another cluster.',
  }),
  'broker.rack': string('', {
    doc: 'Where the node stands (rack, availability zone). Replicas of a partition are spread over racks.',
  }),
  listeners: list(['CLIENT://0.0.0.0:9290', 'PEER://0.0.0.0:9291', 'HTTP://0.0.0.0:9292'], {
    check: listenerCheck,
    doc: 'Addresses to listen on, `NAME://host:port`. CLIENT serves clients (gRPC), PEER other nodes, HTTP metrics and health; leave one out and it is not served. A node of a cluster needs PEER; a controller that is no broker serves quorum and admin commands on CLIENT. Further client listeners are named CLIENT_<SUFFIX>. Host 0.0.0.0 is every interface (the default, because a container is reached from outside only so); name 127.0.0.1 to keep a node to its machine. Port 0 lets the system choose.',
  }),
  'advertised.listeners': list([], {
    check: listenerCheck,
    doc: 'Addresses told to others, by the names in `listeners`. A listener that is not named here is advertised as it is bound, or under the host name of the machine when it is bound to every interface. Port 0 stands for the bound port.',
  }),
  'log.dirs': list(['tidemark-data'], {
    doc: 'The folder with this node’s partitions and metadata; relative to the working folder. One folder in this version.',
  }),
  'logging.level': oneOf(['trace', 'debug', 'info', 'warn', 'error', 'fatal'], 'info', {
    own: true,
    doc: 'The least severe lines the process writes to its own log (JSON lines on stderr).',
  }),
  'metrics.max.partitions': int(10_000, {
    own: true,
    doc: 'Most replicas on this node that `/metrics` shows one by one; with more, only sums are shown. 0 shows none, which keeps a scrape small whatever there is.',
  }),
  'metrics.max.group.partitions': int(10_000, {
    own: true,
    doc: 'Most partitions with a committed offset that `/metrics` shows of the consumer groups this node coordinates, a group itself counting as one more. Groups beyond are left out whole and counted; those with members come first. 0 shows none.',
  }),
};

const topicDefaultSpecs = {
  'num.partitions': int(1, { min: 1, doc: 'Partitions of a new topic that names no number.' }),
  'default.replication.factor': int(3, {
    min: 1,
    max: 32767,
    derivedDefault: '3, or the number of brokers where there are fewer',
    doc: 'Replicas of each partition of a new topic that names no number. When set, a cluster with fewer brokers refuses the topic.',
  }),
  'min.insync.replicas': int(2, {
    min: 1,
    topicOverride: 'min.insync.replicas',
    dynamic: true,
    derivedDefault: '2 where the replication factor is 3 or more, else 1',
    doc: 'With acks=all, the in-sync replicas (leader included) that must hold a batch before it is acknowledged. Never more than the partition has replicas.',
  }),
  'auto.create.topics.enable': boolean(false, {
    doc: 'Whether producing to a topic that does not exist creates it. Off, because a mistyped name is then an error.',
  }),
  'max.partitions.per.request': int(10_000, {
    min: 1,
    own: true,
    doc: 'Most partitions one CreateTopics or CreatePartitions request may make.',
  }),
  'max.cluster.partitions': int(100_000, {
    min: 1,
    own: true,
    doc: 'Most partitions the cluster may have, all topics together.',
  }),
};

const logSpecs = {
  'log.segment.bytes': int(1024 * MIB, {
    min: MIB,
    unit: 'bytes',
    topicOverride: 'segment.bytes',
    dynamic: true,
    doc: 'Size at which a log segment is closed and the next one begun. Retention removes whole segments.',
  }),
  'log.roll.ms': long(7 * DAY_MS, {
    min: 1,
    unit: 'ms',
    topicOverride: 'segment.ms',
    dynamic: true,
    doc: 'Age at which a segment is closed even when it is not full.',
  }),
  'log.retention.ms': long(7 * DAY_MS, {
    min: -1,
    unit: 'ms',
    topicOverride: 'retention.ms',
    dynamic: true,
    doc: 'Age at which records may be removed; -1 keeps them for ever.',
  }),
  'log.retention.bytes': long(-1, {
    min: -1,
    unit: 'bytes',
    topicOverride: 'retention.bytes',
    dynamic: true,
    doc: 'Size of a partition above which its oldest segments are removed; -1 sets no limit.',
  }),
  'log.retention.check.interval.ms': long(300_000, {
    min: 1,
    unit: 'ms',
    doc: 'How often segments past their retention are looked for.',
  }),
  'log.segment.delete.delay.ms': long(60_000, {
    unit: 'ms',
    topicOverride: 'file.delete.delay.ms',
    dynamic: true,
    doc: 'How long the files of a removed segment or partition stay on disk under another name.',
  }),
  'log.cleanup.policy': list(['delete'], {
    values: ['delete', 'compact'],
    topicOverride: 'cleanup.policy',
    dynamic: true,
    doc: 'What happens to old records: `delete` removes them by retention, `compact` keeps the last record of each key, `delete,compact` does both. A record without a key is refused by a compacted topic.',
  }),
  'log.cleaner.enable': boolean(true, {
    doc: 'Whether compacted topics are cleaned. Without it they grow for ever.',
  }),
  'log.cleaner.dedupe.buffer.size': long(128 * MIB, {
    min: 64 * 1024,
    max: 4095 * MIB,
    unit: 'bytes',
    doc: 'Memory for the keys of one cleaning: each takes its own bytes and 28. What does not fit is cleaned in the next one.',
  }),
  'log.cleaner.io.max.bytes.per.second': double(Number.MAX_VALUE, {
    min: 1,
    doc: 'Bytes a second that the cleaner reads and writes at most.',
  }),
  'log.cleaner.backoff.ms': long(15_000, {
    min: 1,
    unit: 'ms',
    doc: 'How long the cleaner waits when there is nothing to clean.',
  }),
  'log.cleaner.min.cleanable.ratio': double(0.5, {
    min: 0,
    max: 1,
    topicOverride: 'min.cleanable.dirty.ratio',
    dynamic: true,
    doc: 'A compacted log is cleaned when more than this part of it has not been cleaned yet.',
  }),
  'log.cleaner.delete.retention.ms': long(DAY_MS, {
    unit: 'ms',
    topicOverride: 'delete.retention.ms',
    dynamic: true,
    doc: 'How long a tombstone stays after it was first cleaned. A consumer that reads from the beginning must reach the end within this time to see every deletion.',
  }),
  'log.cleaner.min.compaction.lag.ms': long(0, {
    unit: 'ms',
    topicOverride: 'min.compaction.lag.ms',
    dynamic: true,
    doc: 'Records younger than this are not compacted away.',
  }),
  'log.cleaner.max.compaction.lag.ms': long(NO_LIMIT, {
    min: 1,
    unit: 'ms',
    topicOverride: 'max.compaction.lag.ms',
    dynamic: true,
    doc: 'A compacted log with an older record that was never cleaned is cleaned whatever the ratio.',
  }),
  'flush.policy': oneOf(['ack', 'os'], 'ack', {
    own: true,
    topicOverride: 'flush.policy',
    dynamic: true,
    doc: '`ack`: a batch counts as replicated once it is fsynced, so that acks=all means on disk on every in-sync replica. `os`: it counts once it is in the page cache, as in Kafka, and a power failure on all replicas at once may lose it.',
  }),
  'log.flush.interval.messages': long(NO_LIMIT, {
    min: 1,
    unit: 'messages',
    topicOverride: 'flush.messages',
    dynamic: true,
    doc: 'With flush.policy=os, fsync after so many records.',
  }),
  'log.flush.interval.ms': long(NO_LIMIT, {
    min: 1,
    unit: 'ms',
    topicOverride: 'flush.ms',
    dynamic: true,
    doc: 'With flush.policy=os, fsync when records have waited so long.',
  }),
  'log.flush.offset.checkpoint.interval.ms': long(60_000, {
    min: 1,
    unit: 'ms',
    doc: 'How often the recovery points are written down. After a crash only what lies past them is checked.',
  }),
  'log.index.interval.bytes': int(4096, {
    unit: 'bytes',
    topicOverride: 'index.interval.bytes',
    dynamic: true,
    doc: 'Bytes of log between two index entries.',
  }),
  'log.index.size.max.bytes': int(10 * MIB, {
    min: 4,
    unit: 'bytes',
    topicOverride: 'segment.index.bytes',
    dynamic: true,
    doc: 'Size of an index at which its segment is closed.',
  }),
  'message.max.bytes': int(1_048_588, {
    unit: 'bytes',
    topicOverride: 'max.message.bytes',
    dynamic: true,
    doc: 'Largest record batch, as sent (after compression).',
  }),
  'max.inflated.batch.bytes': int(64 * MIB, {
    min: 1024,
    unit: 'bytes',
    own: true,
    doc: 'Largest record batch after decompression. A batch that would inflate beyond it is refused.',
  }),
  'compression.type': oneOf(['producer'], 'producer', {
    valuesNote: 'Brokers never recompress; choose the compression in the producer.',
    topicOverride: 'compression.type',
    dynamic: true,
    doc: '`producer`: batches are stored as the producer compressed them.',
  }),
  'log.message.timestamp.type': oneOf(['CreateTime', 'LogAppendTime'], 'CreateTime', {
    topicOverride: 'message.timestamp.type',
    dynamic: true,
    doc: 'Whether a record carries the time its producer gave it or the time the leader appended it.',
  }),
  'log.message.timestamp.before.max.ms': long(NO_LIMIT, {
    unit: 'ms',
    topicOverride: 'message.timestamp.before.max.ms',
    dynamic: true,
    doc: 'With CreateTime, how far a timestamp may lie in the past.',
  }),
  'log.message.timestamp.after.max.ms': long(3_600_000, {
    unit: 'ms',
    topicOverride: 'message.timestamp.after.max.ms',
    dynamic: true,
    doc: 'With CreateTime, how far a timestamp may lie in the future.',
  }),
  'log.tail.bytes': long(64 * MIB, {
    unit: 'bytes',
    own: true,
    doc: 'Memory for the newest batches of all partitions together. Reads near the end are served from it; beyond it from disk.',
  }),
  'producer.id.expiration.ms': int(DAY_MS, {
    min: 1,
    unit: 'ms',
    dynamic: true,
    doc: 'How long a partition remembers an idempotent producer that has fallen silent.',
  }),
};

const replicationSpecs = {
  'replica.lag.time.max.ms': long(30_000, {
    min: 100,
    unit: 'ms',
    doc: 'A follower that lacks something the leader has had for so long leaves the in-sync replicas.',
  }),
  'replica.fetch.max.bytes': int(MIB, {
    min: 1024,
    unit: 'bytes',
    doc: 'Most bytes a leader reads of one partition for a follower at a turn. A larger batch is sent all the same.',
  }),
  'replica.fetch.response.max.bytes': int(4 * MIB, {
    min: 1024,
    unit: 'bytes',
    doc: 'A message from a leader to a follower is closed when it holds so many bytes of batches, of all partitions together.',
  }),
  'replica.fetch.window.bytes': int(16 * MIB, {
    min: 1024,
    unit: 'bytes',
    own: true,
    doc: 'Batches that may be on their way from one leader broker, or wait here to be written. At the limit the leader sends no more until some are.',
  }),
  'replica.fetch.wait.max.ms': int(500, {
    min: 10,
    max: 60_000,
    unit: 'ms',
    doc: 'How long a leader and a follower have nothing to say to each other before they say that they are there. Four times of that in silence, and they begin anew.',
  }),
  'replica.fetch.backoff.ms': int(1000, {
    unit: 'ms',
    doc: 'How long a follower waits before it asks again for a partition that its leader refused, or that could not be written.',
  }),
  'replica.high.watermark.checkpoint.interval.ms': long(5000, {
    min: 1,
    unit: 'ms',
    doc: 'How often the high watermarks are written down.',
  }),
  'leader.replication.throttled.rate': long(NO_LIMIT, {
    min: 1,
    unit: 'bytes',
    dynamic: true,
    doc: 'Most bytes a second that this broker sends to followers for the replicas in a topic’s leader.replication.throttled.replicas, all together. Set for the time of a reassignment.',
  }),
  'follower.replication.throttled.rate': long(NO_LIMIT, {
    min: 1,
    unit: 'bytes',
    dynamic: true,
    doc: 'Most bytes a second that this broker fetches from leaders for the replicas in a topic’s follower.replication.throttled.replicas, all together. Set for the time of a reassignment.',
  }),
};

const networkSpecs = {
  'socket.request.max.bytes': int(100 * MIB, {
    min: 1024,
    unit: 'bytes',
    doc: 'Largest request. A larger one is refused before it is read.',
  }),
  'queued.max.request.bytes': long(128 * MIB, {
    min: 1024,
    unit: 'bytes',
    own: true,
    doc: 'Produce bytes accepted and not yet answered, all connections together; beyond it requests wait, at most as many bytes again, and then are refused. As much again may be on its way in: beyond that the call that holds the most is ended with RESOURCE_EXHAUSTED.',
  }),
  'queued.max.response.bytes': long(128 * MIB, {
    min: 1024,
    unit: 'bytes',
    own: true,
    doc: 'Fetched bytes waiting for readers, all connections together. At the limit fetches wait.',
  }),
  'fetch.max.bytes': int(55 * MIB, {
    min: 1024,
    unit: 'bytes',
    doc: 'Most bytes one fetch answer holds, whatever the client asks. The first batch is sent even if it is larger, so that a reader always gets on.',
  }),
  'max.connections': int(10_000, {
    min: 1,
    doc: 'Most connections of a listener at a time; one more is closed at once.',
  }),
  'max.connections.per.ip': int(2 ** 31 - 1, {
    min: 1,
    doc: 'Most connections of a listener from one address at a time; one more is closed at once.',
  }),
  'connections.max.idle.ms': long(600_000, {
    min: 1,
    unit: 'ms',
    doc: 'A connection without a call for so long is closed.',
  }),
};

export const brokerSpecs = {
  ...nodeSpecs,
  ...clusterSpecs,
  ...topicDefaultSpecs,
  ...logSpecs,
  ...replicationSpecs,
  ...groupSpecs,
  ...networkSpecs,
  ...securitySpecs,
};
export type BrokerSpecs = typeof brokerSpecs;
export type BrokerConfig = Config<BrokerSpecs>;

/** The node's listeners, parsed. */
export function brokerListeners(config: BrokerConfig): readonly Listener[] {
  return listenersOf(config.get('listeners'));
}

/** What `advertised.listeners` says, parsed; see `advertisedListeners` for what is advertised in the end. */
export function brokerAdvertisedListeners(config: BrokerConfig): readonly Listener[] {
  return listenersOf(config.get('advertised.listeners'));
}

const rules: readonly ConfigRule<BrokerSpecs>[] = [
  (config) =>
    config.get('min.insync.replicas') <= config.get('default.replication.factor')
      ? []
      : [
          config.problem(
            'min.insync.replicas',
            `is above default.replication.factor (${config.get('default.replication.factor')}), so that no write could be acknowledged`,
            'Lower it, or raise default.replication.factor.',
          ),
        ],
  roleRule,
  sessionRule,
  (config) =>
    config.get('log.dirs').length === 1
      ? []
      : [config.problem('log.dirs', 'this version keeps its logs in exactly one folder', 'Name one folder.')],
  roleListenersRule,
  advertisedRule,
  ...groupRules,
  securityRule,
  (config) =>
    atLeast(config, 'socket.request.max.bytes', 'message.max.bytes', 'one batch must fit a request'),
  (config) =>
    atLeast(config, 'max.inflated.batch.bytes', 'message.max.bytes', 'a batch is at least as large inflated'),
  (config) =>
    atLeast(config, 'queued.max.request.bytes', 'socket.request.max.bytes', 'one request must fit the queue'),
  (config) =>
    atLeast(config, 'queued.max.response.bytes', 'fetch.max.bytes', 'one answer must fit the queue'),
];

function advertisedRule(config: BrokerConfig): readonly ConfigProblem[] {
  const names = brokerListeners(config).map(({ name }) => name);
  return brokerAdvertisedListeners(config).flatMap(({ name, host }) => {
    if (!names.includes(name)) {
      const cause = `${name} is not among listeners (${names.join(', ')})`;
      return [
        config.problem('advertised.listeners', cause, `Add ${name} to listeners, or take it out here.`),
      ];
    }
    if (!isWildcardHost(host)) return [];
    const cause = `${name} advertises "${host}", which is no address anybody can connect to`;
    return [
      config.problem(
        'advertised.listeners',
        cause,
        'Give the host name or address clients reach the node at.',
      ),
    ];
  });
}

type SizeKey =
  | 'socket.request.max.bytes'
  | 'max.inflated.batch.bytes'
  | 'queued.max.request.bytes'
  | 'queued.max.response.bytes'
  | 'message.max.bytes'
  | 'fetch.max.bytes';

function atLeast(
  config: BrokerConfig,
  larger: SizeKey,
  smaller: SizeKey,
  why: string,
): readonly ConfigProblem[] {
  if (config.get(larger) >= config.get(smaller)) return [];
  const cause = `is below ${smaller} (${config.get(smaller)}), but ${why}`;
  return [config.problem(larger, cause, `Raise it to ${config.get(smaller)} or more, or lower ${smaller}.`)];
}

export const brokerConfigs = configTable<BrokerSpecs>({
  title: 'broker',
  specs: brokerSpecs,
  derived: {
    'min.insync.replicas': (config) => (config.get('default.replication.factor') >= 3 ? 2 : 1),
  },
  rules,
  family: listenerSpecOf,
  elsewhere: {
    ...securityElsewhere,
    ...Object.fromEntries(
      Object.entries(brokerSpecs).flatMap(([name, { topicOverride = name }]: [string, ConfigSpec]) =>
        topicOverride === name ? [] : [[topicOverride, `For a broker it is called ${name}.`]],
      ),
    ),
    'leader.replication.throttled.replicas': 'It is a topic config; set it on the topic.',
    'follower.replication.throttled.replicas': 'It is a topic config; set it on the topic.',
    'broker.id': 'It is called node.id.',
    'log.dir': 'It is called log.dirs.',
    'log.retention.hours': 'Give log.retention.ms, in milliseconds.',
    'log.retention.minutes': 'Give log.retention.ms, in milliseconds.',
    'log.roll.hours': 'Give log.roll.ms, in milliseconds.',
    'zookeeper.connect': 'There is no ZooKeeper; remove it.',
    'inter.broker.listener.name': 'Nodes always speak to one another on PEER; remove it.',
    'controller.listener.names': 'Controllers are reached on PEER; remove it.',
    'controller.quorum.bootstrap.servers':
      'It is called controller.quorum.voters, and names the voters with their ids: id@host:port.',
    'controller.quorum.auto.join.enable':
      'A controller joins as an observer; `tidemark quorum add-voter` gives it a vote.',
    'initial.broker.registration.timeout.ms':
      'A broker waits for the controllers until it is stopped; remove it.',
    'metadata.log.dir': 'The metadata is kept in log.dirs, with everything else; remove it.',
    'metadata.log.segment.ms':
      'Segments of the metadata log are closed by size; give metadata.log.segment.bytes.',
    'controlled.shutdown.max.retries': 'Give controlled.shutdown.timeout.ms.',
    'controlled.shutdown.retry.backoff.ms': 'Give controlled.shutdown.timeout.ms.',
    'offsets.topic.replication.factor': 'This version has no consumer groups; remove it.',
  },
});
