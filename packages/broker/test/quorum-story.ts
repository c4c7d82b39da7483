// A cluster told in a few words, for tests of the handlers: an image made of records, and a node of the quorum that answers what the
// test says and remembers what it was asked.

import {
  brokerConfigs,
  failure,
  resolveConfig,
  topicIdFromBytes,
  type BrokerEpoch,
  type BrokerId,
  type Failure,
  type LeaderEpoch,
  type NodeId,
  type Offset,
  type PartitionEpoch,
  type PartitionIndex,
  type Term,
  type TopicName,
} from '@tidemark/core';
import {
  ImageBuilder,
  MetadataImage,
  type ControllerCommand,
  type LeaderId,
  type MetadataRecord,
  type ResponseTo,
} from '@tidemark/controller';
import type { ReplicaKey, Voter } from '@tidemark/raft';
import type {
  ClusterMetadataNode,
  QuorumContext,
  QuorumStatus,
  ReplicaProgress,
  VoterChange,
} from '../src/quorum-context.ts';
import { NodeClock } from '../src/node-clock.ts';

/** The directory id of a node's `nth` disk. */
export const directory = (nodeId: number, nth = 0): string =>
  topicIdFromBytes(Uint8Array.from({ length: 16 }, (_, at) => (at === 0 ? nodeId : at === 1 ? nth : 7)));

export const replica = (nodeId: number): ReplicaKey => ({
  nodeId: nodeId as NodeId,
  directoryId: directory(nodeId),
});

export const voter = (nodeId: number): Voter => ({
  ...replica(nodeId),
  endpoint: { host: `host-${nodeId}`, port: 9291 },
});

export const progress = (
  nodeId: number,
  matchOffset: number,
  lastContactMsAgo: number,
  isVoter = true,
): ReplicaProgress => ({
  key: replica(nodeId),
  isVoter,
  matchOffset: matchOffset as Offset,
  lastContactMsAgo,
  state: 'replicating',
});

export interface StoryPartition {
  readonly replicas: readonly number[];
  readonly isr: readonly number[];
  readonly leader: number;
  readonly adding?: readonly number[];
  readonly removing?: readonly number[];
}

export interface ImageStory {
  readonly brokers?: readonly {
    readonly id: number;
    readonly fenced?: boolean;
    readonly leaving?: boolean;
  }[];
  readonly topics?: Readonly<Record<string, readonly StoryPartition[]>>;
  readonly configs?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

const topicId = (index: number) =>
  topicIdFromBytes(Uint8Array.from({ length: 16 }, (_, at) => (at === 0 ? index : 9)));
const brokerIds = (ids: readonly number[]) => ids as readonly BrokerId[];

function* recordsOf({ brokers = [], topics = {}, configs = {} }: ImageStory): Generator<MetadataRecord> {
  yield { type: 'featureLevel', feature: 'metadata.version', level: 1 };
  for (const { id, fenced = false, leaving = false } of brokers) {
    const brokerId = id as BrokerId;
    const brokerEpoch = (100 + id) as BrokerEpoch;
    yield {
      type: 'registerBroker',
      brokerId,
      brokerEpoch,
      incarnationId: directory(id, 1),
      endpoints: [
        { name: 'CLIENT', host: `host-${id}`, port: 9290 },
        { name: 'CLIENT_OUT', host: `out-${id}`, port: 19290 },
        { name: 'PEER', host: `host-${id}`, port: 9291 },
      ],
      rack: `r${id}`,
      fenced,
      directoryId: directory(id),
    };
    if (leaving) yield { type: 'brokerChange', brokerId, brokerEpoch, inControlledShutdown: true };
  }
  for (const [at, [name, partitions]] of Object.entries(topics).entries()) {
    const id = topicId(at);
    yield { type: 'topic', topicId: id, name: name as TopicName };
    for (const [config, value] of Object.entries(configs[name] ?? {})) {
      yield { type: 'topicConfig', topicId: id, name: config, value };
    }
    for (const [index, each] of partitions.entries()) {
      const where = { topicId: id, partition: index as PartitionIndex };
      yield {
        type: 'partition',
        ...where,
        replicas: brokerIds(each.replicas),
        isr: brokerIds(each.isr),
        leader: each.leader as LeaderId,
        leaderEpoch: 0 as LeaderEpoch,
        partitionEpoch: 0 as PartitionEpoch,
      };
      if (each.adding === undefined && each.removing === undefined) continue;
      yield {
        type: 'partitionChange',
        ...where,
        addingReplicas: brokerIds(each.adding ?? []),
        removingReplicas: brokerIds(each.removing ?? []),
      };
    }
  }
}

export function imageOf(story: ImageStory): MetadataImage {
  const builder = new ImageBuilder(MetadataImage.empty());
  let offset = 0;
  for (const record of recordsOf(story)) builder.apply(record, offset++);
  return builder.build();
}

export function quorumOf(
  parts: Partial<QuorumStatus> & { readonly voterIds: readonly number[] },
): QuorumStatus {
  const { voterIds, ...rest } = parts;
  return {
    role: 'leader',
    term: 4 as Term,
    leader: replica(1),
    voters: voterIds.map(voter),
    commitOffset: 100 as Offset,
    logEndOffset: 110 as Offset,
    logStartOffset: 10 as Offset,
    appliedOffset: 100 as Offset,
    replicas: [],
    ...rest,
  };
}

/** Node 1 unless said otherwise. */
export class StoryNode implements ClusterMetadataNode {
  readonly self: ReplicaKey;
  image: MetadataImage;
  quorum: QuorumStatus;
  readonly submitted: ControllerCommand[] = [];
  readonly changes: VoterChange[] = [];
  readonly transfers: (NodeId | undefined)[] = [];
  barriers = 0;
  /** What the leader says to what is forwarded. */
  onForward: StoryNode['forward'] = () => Promise.resolve(failure('NETWORK_EXCEPTION', 'nobody is there'));
  /** Runs while a barrier is waited for. */
  onBarrier: () => Failure | undefined = () => undefined;
  answer: unknown = { ok: true };
  outcome: { readonly ok: true } | Failure = { ok: true };

  constructor(image: MetadataImage, quorum: QuorumStatus, self = 1) {
    this.image = image;
    this.quorum = quorum;
    this.self = replica(self);
  }

  submit<C extends ControllerCommand>(command: C): Promise<ResponseTo<C> | Failure> {
    this.submitted.push(command);
    return Promise.resolve(this.answer as ResponseTo<C> | Failure);
  }

  readBarrier(): Promise<{ readonly ok: true; readonly offset: Offset } | Failure> {
    this.barriers += 1;
    const failed = this.onBarrier();
    return Promise.resolve(failed ?? { ok: true, offset: this.quorum.commitOffset });
  }

  changeVoters(change: VoterChange): Promise<{ readonly ok: true } | Failure> {
    this.changes.push(change);
    return Promise.resolve(this.outcome);
  }

  transferLeadership(to: NodeId | undefined): Promise<{ readonly ok: true } | Failure> {
    this.transfers.push(to);
    return Promise.resolve(this.outcome);
  }

  forward(
    method: string,
    request: Uint8Array,
  ): Promise<{ readonly ok: true; readonly response: Uint8Array } | Failure> {
    return this.onForward(method, request);
  }

  addressOf(node: NodeId): { readonly host: string; readonly port: number } | undefined {
    const peer = this.image.broker(node)?.endpoints.find(({ name }) => name === 'PEER');
    return peer === undefined ? undefined : { host: peer.host, port: peer.port };
  }
}

export function configOf(file = ''): QuorumContext['config'] {
  const resolved = resolveConfig(brokerConfigs, { file });
  if (!resolved.ok) throw new Error('the configuration is refused');
  return resolved.config;
}

export function contextOf(metadata: StoryNode, listenerName = 'CLIENT'): QuorumContext {
  return {
    listenerName,
    clusterId: 'cluster',
    version: '0.0.0',
    config: configOf(),
    clock: new NodeClock(),
    metadata,
  };
}
