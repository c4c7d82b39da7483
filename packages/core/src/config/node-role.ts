// What a node is in the cluster by its configuration: `process.roles`, `controller.quorum.voters` and its own id together, and the
// contradictions there can be between them and the listeners.

import type { BrokerConfig } from './broker-configs.ts';
import { listenersOf } from './listeners.ts';
import type { ConfigProblem } from './problem.ts';
import { votersOf, type ConfiguredVoter } from './quorum-voters.ts';

/** A node's place in the metadata quorum, as configured; the metadata log may say otherwise later. */
export type QuorumMembership =
  /** The only voter of a cluster that names none. */
  | 'alone'
  /** One of the voters the cluster begins with. */
  | 'voter'
  /** A controller that is not among them: it follows the quorum until it is added. */
  | 'joining'
  /** A broker: it follows the quorum and never votes. */
  | 'observer';

export interface NodeRole {
  readonly isBroker: boolean;
  readonly isController: boolean;
  readonly membership: QuorumMembership;
  /** In the order of their ids; empty for a node alone. */
  readonly voters: readonly ConfiguredVoter[];
}

export function nodeRole(config: BrokerConfig): NodeRole {
  const roles = config.get('process.roles');
  const isController = roles.includes('controller');
  const voters = votersOf(config.get('controller.quorum.voters'));
  const named = voters.some(({ nodeId }) => nodeId === config.get('node.id'));
  const membership = !isController ? 'observer' : voters.length === 0 ? 'alone' : named ? 'voter' : 'joining';
  return { isBroker: roles.includes('broker'), isController, membership, voters };
}

export function roleRule(config: BrokerConfig): readonly ConfigProblem[] {
  const roles = config.get('process.roles');
  if (roles.length === 0) {
    return [config.problem('process.roles', 'names no role', 'Give broker, controller or both.')];
  }
  if (roles.includes('controller')) return [];
  const voters = votersOf(config.get('controller.quorum.voters'));
  if (voters.length === 0) {
    const cause = 'is empty, but a node without the controller role must find the controllers';
    return [config.problem('controller.quorum.voters', cause, 'Name them: id@host:port[,id@host:port...].')];
  }
  const id = config.get('node.id');
  if (!voters.some(({ nodeId }) => nodeId === id)) return [];
  const cause = `names this node (${id}), which has not the controller role`;
  const remedy = 'Add controller to process.roles, take the node out here, or give it an id of its own.';
  return [config.problem('controller.quorum.voters', cause, remedy)];
}

export function roleListenersRule(config: BrokerConfig): readonly ConfigProblem[] {
  const kinds = listenersOf(config.get('listeners')).map(({ kind }) => kind);
  const problems: ConfigProblem[] = [];
  const isBroker = config.get('process.roles').includes('broker');
  if (isBroker && !kinds.includes('CLIENT')) {
    const cause = 'a broker without a CLIENT listener cannot be reached';
    problems.push(config.problem('listeners', cause, 'Add CLIENT://0.0.0.0:9290.'));
  }
  if (kinds.includes('PEER')) return problems;
  const id = config.get('node.id');
  const others = votersOf(config.get('controller.quorum.voters')).some(({ nodeId }) => nodeId !== id);
  const cause = others
    ? 'a node of a quorum of several without a PEER listener cannot be reached by the others'
    : isBroker
      ? undefined
      : 'a controller without a PEER listener cannot be reached by the brokers';
  if (cause !== undefined) {
    problems.push(config.problem('listeners', cause, 'Add PEER://0.0.0.0:9291.'));
  }
  return problems;
}

export function sessionRule(config: BrokerConfig): readonly ConfigProblem[] {
  const heartbeatMs = config.get('broker.heartbeat.interval.ms');
  if (config.get('broker.session.timeout.ms') > heartbeatMs) return [];
  const cause = `is not above broker.heartbeat.interval.ms (${heartbeatMs}), so that every broker would be fenced between two heartbeats`;
  const remedy = 'Raise it, to several heartbeats at best, or lower broker.heartbeat.interval.ms.';
  return [config.problem('broker.session.timeout.ms', cause, remedy)];
}
