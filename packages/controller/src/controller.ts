// Commands to records. `handle` decides against an image and changes nothing; what it decided takes effect by replaying the
// records, on every node alike, once they are committed. The caller holds back the response until then.

import { unreachable, type BrokerConfig } from '@tidemark/core';
import type { ControllerCommand, ControllerResponses, ResponseTo } from './command.ts';
import type { CommandContext, CommandInput, Handled } from './context.ts';
import { alterClientQuotas, alterScramCredentials, createAcls, deleteAcls } from './handlers/access.ts';
import { alterConfigs } from './handlers/alter-configs.ts';
import { alterPartition } from './handlers/alter-partition.ts';
import { fenceBroker, registerBroker } from './handlers/brokers.ts';
import { registerCluster } from './handlers/cluster.ts';
import { createPartitions } from './handlers/create-partitions.ts';
import { createTopics } from './handlers/create-topics.ts';
import { deleteTopics } from './handlers/delete-topics.ts';
import { balanceLeaders, electLeaders } from './handlers/elect-leaders.ts';
import { heartbeat } from './handlers/heartbeat.ts';
import { reportOfflineReplicas } from './handlers/offline-replicas.ts';
import { allocateProducerIds } from './handlers/producer-ids.ts';
import { reassignPartitions } from './handlers/reassign-partitions.ts';
import { settlePartitions } from './handlers/settle-partitions.ts';
import { unregisterBroker } from './handlers/unregister-broker.ts';

export class Controller {
  readonly #config: BrokerConfig;

  /** `config` is the controller node's own: its defaults and limits apply to new topics. */
  constructor(config: BrokerConfig) {
    this.#config = config;
  }

  /**
   * A command may be answered without any record (it asks for what is already so, or only to validate); its response is then
   * true at once.
   */
  handle<C extends ControllerCommand>(command: C, input: CommandInput): Handled<ResponseTo<C>> {
    const context: CommandContext = { ...input, config: this.#config };
    return dispatch(command, context) as Handled<ResponseTo<C>>;
  }
}

function dispatch(
  command: ControllerCommand,
  context: CommandContext,
): Handled<ControllerResponses[keyof ControllerResponses]> {
  switch (command.type) {
    case 'registerCluster':
      return registerCluster(command, context);
    case 'registerBroker':
      return registerBroker(command, context);
    case 'fenceBroker':
    case 'unfenceBroker':
      return fenceBroker(command, context);
    case 'unregisterBroker':
      return unregisterBroker(command, context);
    case 'heartbeat':
      return heartbeat(command, context);
    case 'settlePartitions':
      return settlePartitions(context);
    case 'alterPartition':
      return alterPartition(command, context);
    case 'reportOfflineReplicas':
      return reportOfflineReplicas(command, context);
    case 'electLeaders':
      return electLeaders(command, context);
    case 'balanceLeaders':
      return balanceLeaders(context);
    case 'reassignPartitions':
      return reassignPartitions(command, context);
    case 'createTopics':
      return createTopics(command, context);
    case 'deleteTopics':
      return deleteTopics(command, context);
    case 'createPartitions':
      return createPartitions(command, context);
    case 'alterConfigs':
      return alterConfigs(command, context);
    case 'allocateProducerIds':
      return allocateProducerIds(command, context);
    case 'alterScramCredentials':
      return alterScramCredentials(command, context);
    case 'createAcls':
      return createAcls(command, context);
    case 'deleteAcls':
      return deleteAcls(command, context);
    case 'alterClientQuotas':
      return alterClientQuotas(command, context);
    default:
      return unreachable(command);
  }
}
