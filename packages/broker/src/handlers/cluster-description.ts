// ClusterService.DescribeCluster: the nodes and what they do, and how many partitions are not as they should be.

import type { BrokerImage, MetadataImage } from '@tidemark/controller';
import type { NodeId } from '@tidemark/core';
import type {
  ClusterNode,
  DescribeClusterRequestOutput,
  DescribeClusterResponse,
  FeatureLevel,
  NodeEndpoint,
} from '@tidemark/rpc';
import type { QuorumContext } from '../quorum-context.ts';
import { whenCurrent } from './linearizable.ts';
import { brokerAnswers } from './metadata-answers.ts';
import { partitionHealth } from './partition-health.ts';

export async function describeCluster(
  context: QuorumContext,
  request: DescribeClusterRequestOutput,
): Promise<DescribeClusterResponse> {
  const error = await whenCurrent(context, request);
  const { metadata, config, clusterId, version } = context;
  const { image, quorum } = metadata;
  const { offline, underMinIsr, underReplicated } = partitionHealth(image, config);
  return {
    ...(error === undefined ? {} : { error }),
    clusterId,
    controllerId: quorum.leader?.nodeId ?? -1,
    brokers: brokerAnswers(context, image),
    metadataOffset: image.offset,
    version,
    topicCount: image.topicCount,
    partitionCount: image.partitionCount,
    nodes: nodeAnswers(context),
    features: featureLevels(image),
    offlinePartitionCount: offline.count,
    underReplicatedPartitionCount: offline.count + underMinIsr.count + underReplicated.count,
    underMinIsrPartitionCount: underMinIsr.count,
  };
}

function featureLevels(image: MetadataImage): FeatureLevel[] {
  return [...image.parts.features]
    .map(([name, level]) => ({ name, level }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function nodeAnswers({ metadata }: QuorumContext): ClusterNode[] {
  const { image, quorum, self } = metadata;
  const nodeIds = new Set<number>([
    self.nodeId,
    ...image.brokers().map(({ id }) => id),
    ...quorum.voters.map(({ nodeId }) => nodeId),
    ...quorum.replicas.map(({ key }) => key.nodeId),
  ]);
  return [...nodeIds]
    .sort((a, b) => a - b)
    .map((id): ClusterNode => {
      const broker = image.broker(id);
      const voter = quorum.voters.find(({ nodeId }) => nodeId === id);
      const peer = voter?.endpoint ?? metadata.addressOf(id as NodeId);
      return {
        id,
        roles: [
          ...(broker === undefined ? [] : (['NODE_ROLE_BROKER'] as const)),
          ...(voter === undefined ? [] : (['NODE_ROLE_CONTROLLER'] as const)),
        ],
        rack: broker?.rack ?? '',
        brokerEpoch: broker?.epoch ?? -1,
        fenced: broker?.fenced ?? false,
        inControlledShutdown: broker?.inControlledShutdown ?? false,
        endpoints: endpointsOf(broker, peer),
        membership: voter === undefined ? 'QUORUM_MEMBERSHIP_OBSERVER' : 'QUORUM_MEMBERSHIP_VOTER',
      };
    });
}

/** As the broker registered them; of a controller that is no broker only the address its peers use is known. */
function endpointsOf(
  broker: BrokerImage | undefined,
  peer: { readonly host: string; readonly port: number } | undefined,
): NodeEndpoint[] {
  if (broker !== undefined) return broker.endpoints.map(({ name, host, port }) => ({ name, host, port }));
  return peer === undefined ? [] : [{ name: 'PEER', host: peer.host, port: peer.port }];
}
