// RegisterCluster: gives an empty metadata log its cluster id and its feature level. A log has one cluster id for ever.

import { failure } from '@tidemark/core';
import type { RegisterClusterCommand, RegisteredCluster } from '../command.ts';
import { handled, type CommandContext, type Handled } from '../context.ts';
import { METADATA_VERSION, METADATA_VERSION_LEVEL } from '../metadata-record.ts';

export function registerCluster(
  { clusterId }: RegisterClusterCommand,
  { image }: CommandContext,
): Handled<RegisteredCluster> {
  if (clusterId === '') return failure('INVALID_REQUEST', 'The cluster id is empty.');
  if (image.clusterId === clusterId) {
    return handled({ clusterId, metadataVersion: image.featureLevel(METADATA_VERSION) });
  }
  if (image.clusterId !== '') {
    return failure(
      'INCONSISTENT_CLUSTER_ID',
      `The metadata belongs to cluster ${image.clusterId}, not ${clusterId}. Use the folder of the right cluster, or an empty one.`,
    );
  }
  return handled({ clusterId, metadataVersion: METADATA_VERSION_LEVEL }, [
    { type: 'cluster', clusterId },
    { type: 'featureLevel', feature: METADATA_VERSION, level: METADATA_VERSION_LEVEL },
  ]);
}
