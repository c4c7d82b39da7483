// AlterConfigs: sets and removes overrides of topics and brokers, one resource all or nothing (KIP-339). The result is
// checked as a whole by the same descriptors that check a node's own file.

import {
  checkBrokerOverrides,
  checkTopicOverrides,
  describeProblems,
  failure,
  type BrokerId,
  type ConfigProblem,
  type Failure,
} from '@tidemark/core';
import type {
  AlterConfigsCommand,
  AlterConfigsResponse,
  AlterConfigsResult,
  ConfigResource,
} from '../command.ts';
import { handled, type CommandContext, type Handled } from '../context.ts';
import { applyRecords } from '../image-builder.ts';
import type { MetadataImage } from '../metadata-image.ts';
import type { MetadataRecord } from '../metadata-record.ts';
import { changePartition } from '../partition-change.ts';
import { topicsOf } from '../partition-settling.ts';
import { TopicRules } from '../topic-rules.ts';

type Overrides = ReadonlyMap<string, string>;

/** A resource that exists: what it has now, how a set of overrides is judged, and the record of one change. */
interface Target {
  readonly current: Overrides;
  readonly check: (overrides: Overrides) => readonly ConfigProblem[];
  readonly record: (name: string, value: string | null) => MetadataRecord;
}

export function alterConfigs(
  { resources, validateOnly }: AlterConfigsCommand,
  context: CommandContext,
): Handled<AlterConfigsResponse> {
  const { image } = context;
  const records: MetadataRecord[] = [];
  const keyOf = ({ type, name }: ConfigResource) => `${type}:${name}`;
  const times = new Map<string, number>();
  for (const { resource } of resources) times.set(keyOf(resource), (times.get(keyOf(resource)) ?? 0) + 1);
  const results = resources.map(({ resource, changes }): AlterConfigsResult => {
    if (times.get(keyOf(resource))! > 1) {
      const message = `The request names ${resource.type} ${resource.name} more than once.`;
      return { ...failure('INVALID_REQUEST', message), resource };
    }
    const target = findTarget(resource, image);
    if ('error' in target) return { ...target, resource };
    const altered = alter(target, changes);
    if (!altered.ok) return { ...altered, resource };
    records.push(...altered.records);
    return { ok: true, resource };
  });
  if (validateOnly) return handled({ resources: results });
  return handled({ resources: results }, [...records, ...endedEligibility(records, context)]);
}

/**
 * Eligible replicas have everything that was committed because nothing is committed below min.insync.replicas. Where that is
 * lowered to what is in sync, it no longer holds, from the very records on that lower it (KIP-966).
 */
function endedEligibility(
  configs: readonly MetadataRecord[],
  { image, config, nextOffset }: CommandContext,
): readonly MetadataRecord[] {
  const changes = configs.filter((record) => 'name' in record && record.name === 'min.insync.replicas');
  if (changes.length === 0 || image.index.withElr.size === 0) return [];
  const after = applyRecords(image, changes, nextOffset);
  const rules = new TopicRules(config, after, (id) => after.isActive(id));
  return [...topicsOf(after, after.index.withElr)].flatMap((topic) =>
    topic.partitions
      .filter(({ elr }) => elr.length > 0)
      .flatMap((partition) => changePartition(topic.id, partition, {}, rules.of(topic)) ?? []),
  );
}

function findTarget({ type, name }: ConfigResource, image: MetadataImage): Target | Failure {
  if (type === 'topic') {
    const topic = image.topicByName(name);
    if (topic === undefined) return failure('UNKNOWN_TOPIC_OR_PARTITION', `There is no topic ${name}.`);
    const factor = Math.min(...topic.partitions.map(({ replicas }) => replicas.length));
    return {
      current: topic.configs,
      check: (overrides) => checkTopicOverrides(overrides, factor),
      record: (key, value) => ({ type: 'topicConfig', topicId: topic.id, name: key, value }),
    };
  }
  if (name !== '' && !/^\d{1,10}$/.test(name)) {
    return failure(
      'INVALID_REQUEST',
      `A broker is named by its id, or empty for all, not ${JSON.stringify(name)}.`,
    );
  }
  const brokerId = name === '' ? null : (Number(name) as BrokerId);
  if (brokerId !== null && image.broker(brokerId) === undefined) {
    return failure('BROKER_ID_NOT_REGISTERED', `No broker with id ${name} is registered.`);
  }
  return {
    current: image.brokerConfigs(brokerId ?? ''),
    check: (overrides) =>
      brokerId === null
        ? checkBrokerOverrides(overrides, 'dynamic-default')
        : [...checkBrokerOverrides(overrides, 'dynamic-broker'), ...clusterWideOnly(overrides)],
    record: (key, value) => ({ type: 'brokerConfig', brokerId, name: key, value }),
  };
}

/** The controller decides by them for whichever broker leads. */
const CLUSTER_WIDE = ['min.insync.replicas', 'unclean.leader.election.enable'] as const;

function clusterWideOnly(overrides: Overrides): readonly ConfigProblem[] {
  return CLUSTER_WIDE.flatMap((name) => {
    const value = overrides.get(name);
    if (value === undefined) return [];
    const source = { kind: 'dynamic-broker', where: 'broker config set at run time' } as const;
    const cause = 'cannot be set for one broker: the controller elects leaders by it';
    return [{ name, value, source, cause, remedy: 'Set it for all brokers or for a topic.' }];
  });
}

function alter(
  { current, check, record }: Target,
  changes: readonly { readonly name: string; readonly value: string | undefined }[],
): { readonly ok: true; readonly records: readonly MetadataRecord[] } | Failure {
  const next = new Map(current);
  const names = new Set<string>();
  const records: MetadataRecord[] = [];
  for (const { name, value } of changes) {
    if (names.has(name)) return failure('INVALID_REQUEST', `The request changes ${name} more than once.`);
    names.add(name);
    const text = value?.trim();
    if (text === current.get(name)) continue;
    if (text === undefined) next.delete(name);
    else next.set(name, text);
    records.push(record(name, text ?? null));
  }
  // What an older version let in and this request does not touch is no reason to refuse the request.
  const problems = check(next).filter(({ name }) => names.has(name));
  return problems.length > 0 ? failure('INVALID_CONFIG', describeProblems(problems)) : { ok: true, records };
}
