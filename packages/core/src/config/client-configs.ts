// The configuration of producers, consumers and the admin client: Kafka's names, Kafka's defaults. The addresses of the
// brokers are not among them: every client takes them as `brokers`.

import { configTable, type Config, type ConfigRule, type ConfigTable } from './config.ts';
import {
  clientSecurityElsewhere,
  clientSecurityRule,
  clientSecuritySpecs,
} from './client-security-configs.ts';
import { boolean, int, list, long, oneOf, string } from './descriptor.ts';
import { offsetResetProblem } from './offset-reset.ts';

const MIB = 1_048_576;
const scope = 'client';
const MAX_INT32 = 2 ** 31 - 1;

const clientSpecs = {
  'client.id': string('', { scope, doc: 'A name for this client in the broker’s logs and metrics.' }),
  'request.timeout.ms': int(30_000, {
    scope,
    min: 1,
    unit: 'ms',
    doc: 'How long one request may take before it counts as failed.',
  }),
  'retry.backoff.ms': long(100, {
    scope,
    unit: 'ms',
    doc: 'The first wait before a failed request is repeated; it doubles with each failure.',
  }),
  'retry.backoff.max.ms': long(1000, { scope, unit: 'ms', doc: 'The longest wait between two tries.' }),
  'reconnect.backoff.ms': long(50, {
    scope,
    unit: 'ms',
    doc: 'The first wait before a lost connection is tried again.',
  }),
  'reconnect.backoff.max.ms': long(1000, {
    scope,
    unit: 'ms',
    doc: 'The longest wait between two attempts to connect.',
  }),
  'socket.connection.setup.timeout.ms': long(10_000, {
    scope,
    min: 1,
    unit: 'ms',
    doc: 'How long a connection may take to come up before it is given up and begun anew.',
  }),
  'metadata.max.age.ms': long(300_000, {
    scope,
    unit: 'ms',
    doc: 'Metadata older than this is fetched again although nothing suggests a change.',
  }),
  ...clientSecuritySpecs,
};

const rangeRule: ConfigRule<typeof clientSpecs> = (config) =>
  (['retry', 'reconnect'] as const).flatMap((kind) => {
    const [first, longest] = [`${kind}.backoff.ms`, `${kind}.backoff.max.ms`] as const;
    if (config.get(first) <= config.get(longest)) return [];
    // Set alone, the first wait simply is the longest as well (KIP-580).
    if (!config.isSet(longest)) return [];
    return [
      config.problem(first, `is above ${longest} (${config.get(longest)})`, `Lower it, or raise ${longest}.`),
    ];
  });

const producerSpecs = {
  ...clientSpecs,
  acks: oneOf(['all', '-1', '1', '0'], 'all', {
    scope,
    doc: 'What an acknowledgement stands for: `all` (or -1) on every in-sync replica, `1` with the leader, `0` nothing is waited for.',
  }),
  'enable.idempotence': boolean(true, {
    scope,
    derivedDefault: 'true, unless acks, retries or max.in.flight.requests.per.connection rule it out',
    doc: 'Whether a repeated batch is stored once and in order.',
  }),
  'linger.ms': long(5, {
    scope,
    unit: 'ms',
    doc: 'How long a batch waits for more records before it is sent.',
  }),
  'batch.size': int(16_384, {
    scope,
    unit: 'bytes',
    doc: 'Size at which a batch is sent without waiting. A single larger record makes a batch of its own.',
  }),
  'buffer.memory': long(32 * MIB, {
    scope,
    min: 1,
    unit: 'bytes',
    doc: 'Records waiting to be acknowledged, in bytes. At the limit send() waits, up to max.block.ms.',
  }),
  'max.block.ms': long(60_000, {
    scope,
    unit: 'ms',
    doc: 'How long send() may wait for metadata and for memory before it fails.',
  }),
  'max.in.flight.requests.per.connection': int(5, {
    scope,
    min: 1,
    doc: 'Batches under way per partition at a time. Above 5 the broker could not tell duplicates any more.',
  }),
  retries: int(MAX_INT32, {
    scope,
    doc: 'How often a batch is sent again after a failure that may pass; delivery.timeout.ms ends it earlier.',
  }),
  'delivery.timeout.ms': int(120_000, {
    scope,
    unit: 'ms',
    doc: 'From send() until the record is acknowledged or has failed, retries included.',
  }),
  'max.request.size': int(MIB, { scope, unit: 'bytes', doc: 'Largest request, and so the largest record.' }),
  'compression.type': oneOf(['none', 'gzip', 'snappy', 'lz4', 'zstd'], 'none', {
    scope,
    doc: 'How batches are compressed.',
  }),
  'partitioner.adaptive.partitioning.enable': boolean(true, {
    scope,
    doc: 'Whether records without a key go less often to partitions whose batches pile up (KIP-794).',
  }),
  'partitioner.availability.timeout.ms': long(0, {
    scope,
    unit: 'ms',
    doc: 'Records without a key go to no broker that has taken nothing for so long although something was there for it; 0 leaves none out. Needs partitioner.adaptive.partitioning.enable.',
  }),
};
export type ProducerSpecs = typeof producerSpecs;
export type ProducerConfig = Config<ProducerSpecs>;

const canBeIdempotent = (config: ProducerConfig) =>
  (config.get('acks') === 'all' || config.get('acks') === '-1') &&
  config.get('retries') > 0 &&
  config.get('max.in.flight.requests.per.connection') <= 5;

const producerRules: readonly ConfigRule<ProducerSpecs>[] = [
  rangeRule as unknown as ConfigRule<ProducerSpecs>,
  clientSecurityRule as unknown as ConfigRule<ProducerSpecs>,
  (config) =>
    !config.get('enable.idempotence') || canBeIdempotent(config)
      ? []
      : [
          config.problem(
            'enable.idempotence',
            `needs acks=all, retries above 0 and max.in.flight.requests.per.connection of at most 5, but they are ${config.get('acks')}, ${config.get('retries')} and ${config.get('max.in.flight.requests.per.connection')}`,
            'Change them, or set enable.idempotence=false.',
          ),
        ],
  (config) => {
    const least = config.get('linger.ms') + config.get('request.timeout.ms');
    if (config.get('delivery.timeout.ms') >= least) return [];
    const cause = `is below linger.ms + request.timeout.ms (${least}), so that not even one try would fit`;
    return [config.problem('delivery.timeout.ms', cause, `Give at least ${least}, or lower one of the two.`)];
  },
  (config) =>
    config.get('buffer.memory') >= config.get('batch.size')
      ? []
      : [
          config.problem(
            'buffer.memory',
            `is below batch.size (${config.get('batch.size')}), so that not one batch would fit`,
            'Raise it, or lower batch.size.',
          ),
        ],
];

const transactionsLater = 'Transactions are not in this version; remove it.';
const useBrokers = 'Give the addresses as `brokers`, outside of the config.';
const notJava = 'It names a Java class; remove it.';

export const producerConfigs = configTable<ProducerSpecs>({
  title: 'producer',
  specs: producerSpecs,
  // As in Kafka (KIP-679): who asks for acks=1 and does not mention idempotence gets acks=1.
  derived: { 'enable.idempotence': canBeIdempotent },
  rules: producerRules,
  elsewhere: {
    ...clientSecurityElsewhere,
    'bootstrap.servers': useBrokers,
    'transactional.id': transactionsLater,
    'transaction.timeout.ms': transactionsLater,
    'key.serializer': notJava,
    'value.serializer': notJava,
    'partitioner.class': 'Give a function as `partitioner`, outside of the config.',
  },
});

const consumerSpecs = {
  ...clientSpecs,
  'fetch.min.bytes': int(1, {
    scope,
    unit: 'bytes',
    doc: 'The broker answers a fetch once it has so much, or after fetch.max.wait.ms.',
  }),
  'fetch.max.wait.ms': int(500, {
    scope,
    unit: 'ms',
    doc: 'Longest time the broker holds a fetch that fetch.min.bytes does not yet satisfy.',
  }),
  'fetch.max.bytes': int(50 * MIB, {
    scope,
    min: 1,
    unit: 'bytes',
    doc: 'Most bytes of one fetch. The first batch comes even if it is larger.',
  }),
  'max.partition.fetch.bytes': int(MIB, {
    scope,
    min: 1,
    unit: 'bytes',
    doc: 'Most bytes of one fetch from one partition. The first batch comes even if it is larger.',
  }),
  'max.poll.records': int(500, { scope, min: 1, doc: 'Most records one poll() answers.' }),
  'auto.offset.reset': string('latest', {
    scope,
    check: offsetResetProblem,
    doc: 'Where to read when there is no position or it is gone: `latest` the end, `earliest` the start, `by_duration:PT1H` what is no older than that (ISO 8601, KIP-1106), `none` an error. The command line reads from the start.',
  }),
  'check.crcs': boolean(true, {
    scope,
    doc: 'Whether each batch’s CRC is checked before its records are handed out.',
  }),
  'default.api.timeout.ms': int(60_000, {
    scope,
    unit: 'ms',
    doc: 'How long a call of the application may take, retries included: a commit, a look at committed offsets.',
  }),
  'group.id': string('', {
    scope,
    doc: 'The consumer group: its members share the partitions of what they subscribe to, and its offsets are committed. Empty: no group.',
  }),
  'group.instance.id': string('', {
    scope,
    doc: 'Makes the consumer a static member (KIP-345): it may restart within session.timeout.ms without a rebalance. Unique in its group; empty: a dynamic member.',
  }),
  'session.timeout.ms': int(45_000, {
    scope,
    min: 1,
    unit: 'ms',
    doc: 'A member that the coordinator does not hear of for so long loses its partitions. Within group.min.session.timeout.ms and group.max.session.timeout.ms of the brokers.',
  }),
  'heartbeat.interval.ms': int(3000, {
    scope,
    min: 1,
    unit: 'ms',
    doc: 'How often a member tells the coordinator that it is there, and hears of rebalances.',
  }),
  'max.poll.interval.ms': int(300_000, {
    scope,
    min: 1,
    unit: 'ms',
    doc: 'An application that holds records for longer without asking for more loses its partitions. Also how long a rebalance waits for it.',
  }),
  'partition.assignment.strategy': list(['range', 'cooperative-sticky'], {
    scope,
    values: ['range', 'roundrobin', 'sticky', 'cooperative-sticky'],
    valuesNote: 'Assignors go by their names, not by Java classes',
    doc: 'Who gets which partition, in the order of preference; the group uses one that all its members have. With cooperative-sticky alone a rebalance takes from a member only what moves (KIP-429); with any other in the list it stops everybody.',
  }),
  'enable.auto.commit': boolean(true, {
    scope,
    doc: 'Whether a member of a group commits what the application is done with every auto.commit.interval.ms, before it gives partitions up, and when it closes.',
  }),
  'auto.commit.interval.ms': int(5000, {
    scope,
    min: 1,
    unit: 'ms',
    doc: 'How often offsets are committed when enable.auto.commit is true.',
  }),
};
export type ConsumerSpecs = typeof consumerSpecs;
export type ConsumerConfig = Config<ConsumerSpecs>;

export const consumerConfigs = configTable<ConsumerSpecs>({
  title: 'consumer',
  specs: consumerSpecs,
  rules: [
    rangeRule as unknown as ConfigRule<ConsumerSpecs>,
    clientSecurityRule as unknown as ConfigRule<ConsumerSpecs>,
    (config) =>
      config.get('fetch.min.bytes') <= config.get('fetch.max.bytes')
        ? []
        : [
            config.problem(
              'fetch.min.bytes',
              `is above fetch.max.bytes (${config.get('fetch.max.bytes')}), so that every fetch would wait in vain`,
              'Lower it, or raise fetch.max.bytes.',
            ),
          ],
    (config) =>
      config.get('heartbeat.interval.ms') < config.get('session.timeout.ms')
        ? []
        : [
            config.problem(
              'heartbeat.interval.ms',
              `is not below session.timeout.ms (${config.get('session.timeout.ms')}), so that every session would end`,
              'Give at most a third of session.timeout.ms.',
            ),
          ],
    (config) =>
      config.get('group.id') !== '' || config.get('group.instance.id') === ''
        ? []
        : [config.problem('group.instance.id', 'names a member of no group', 'Give group.id, too.')],
    (config) =>
      config.get('partition.assignment.strategy').length > 0
        ? []
        : [config.problem('partition.assignment.strategy', 'names no assignor', 'Name at least one.')],
  ],
  elsewhere: {
    ...clientSecurityElsewhere,
    'bootstrap.servers': useBrokers,
    'group.protocol': 'There is one protocol, classic; remove it.',
    'isolation.level': transactionsLater,
    'key.deserializer': notJava,
    'value.deserializer': notJava,
  },
});

const adminSpecs = {
  ...clientSpecs,
  'default.api.timeout.ms': int(60_000, {
    scope,
    unit: 'ms',
    doc: 'How long a call of the admin client may take, retries included.',
  }),
};
export type AdminSpecs = typeof adminSpecs;
export type AdminConfig = Config<AdminSpecs>;

export const adminConfigs: ConfigTable<AdminSpecs> = configTable<AdminSpecs>({
  title: 'admin client',
  specs: adminSpecs,
  rules: [
    rangeRule as unknown as ConfigRule<AdminSpecs>,
    clientSecurityRule as unknown as ConfigRule<AdminSpecs>,
  ],
  elsewhere: { ...clientSecurityElsewhere, 'bootstrap.servers': useBrokers },
});

/** The keys every client has; what a connection needs to know. */
export type ClientSpecs = typeof clientSpecs;
export type ClientConfig = Config<ClientSpecs>;
export const clientConfigs = configTable<ClientSpecs>({
  title: 'client',
  specs: clientSpecs,
  rules: [rangeRule, clientSecurityRule as unknown as ConfigRule<ClientSpecs>],
});
