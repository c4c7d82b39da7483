// How a cluster and its health look to people. Pure: descriptions in, text out, 80 columns at most where the data allows it.
import type { ClusterDescription, ClusterHealth, NodeInfo } from '@tidemark/client';
import { renderFields, renderTable, type Column } from '../output/report.ts';
import { CONTROLS } from '../output/table.ts';
import { hanging } from '../output/wrap.ts';

interface NodeRow extends NodeInfo {
  readonly controller: boolean;
}

function stateOf({ roles, fenced, inControlledShutdown }: NodeInfo): string {
  if (!roles.includes('broker')) return '-';
  if (fenced) return 'fenced';
  return inControlledShutdown ? 'stopping' : 'up';
}

function address({ endpoints }: NodeInfo): string {
  const shown = endpoints.find(({ name }) => name.startsWith('CLIENT')) ?? endpoints[0];
  return shown === undefined ? '-' : hostPort(shown);
}

export function hostPort({ host, port }: { readonly host: string; readonly port: number }): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

const nodeColumns: readonly Column<NodeRow>[] = [
  { header: 'node', cell: ({ id, controller }) => `${id}${controller ? '*' : ''}` },
  { header: 'roles', cell: ({ roles }) => (roles.length === 0 ? '-' : roles.join(',')) },
  { header: 'quorum', cell: ({ controller, membership }) => (controller ? 'leader' : membership) },
  { header: 'state', cell: stateOf },
  { header: 'rack', cell: ({ rack }) => (rack === '' ? '-' : rack) },
  { header: 'address', cell: address },
  { header: 'epoch', cell: ({ brokerEpoch }) => (brokerEpoch < 0 ? '-' : brokerEpoch), wide: true },
  {
    header: 'listeners',
    cell: ({ endpoints }) => endpoints.map((each) => `${each.name}://${hostPort(each)}`).join(','),
    wide: true,
  },
];

/** A server of an earlier version tells its brokers only. */
function nodesOf({ nodes, brokers }: ClusterDescription): readonly NodeInfo[] {
  if (nodes.length > 0) return nodes;
  return brokers.map(({ id, host, port, rack, fenced }) => ({
    id,
    roles: ['broker'],
    rack,
    brokerEpoch: -1,
    fenced,
    inControlledShutdown: false,
    endpoints: [{ name: 'CLIENT', host, port }],
    membership: 'unknown',
  }));
}

export function clusterView(cluster: ClusterDescription, wide: boolean): readonly string[] {
  const rows = nodesOf(cluster).map((node) => ({ ...node, controller: node.id === cluster.controllerId }));
  return [
    renderFields([
      ['cluster', cluster.clusterId],
      ['controller', cluster.controllerId < 0 ? 'none' : cluster.controllerId],
      ['topics', cluster.topicCount],
      ['partitions', cluster.partitionCount],
      ['offline', cluster.offlinePartitionCount],
      ['under min isr', cluster.underMinIsrPartitionCount],
      ['under-replicated', cluster.underReplicatedPartitionCount],
      ...cluster.features.map(({ name, level }) => [name, level] as const),
      ['version', cluster.version],
    ]),
    renderTable(rows, nodeColumns, { wide }),
  ];
}

export function healthView(health: ClusterHealth): readonly string[] {
  const { healthy, complete, controllerId, nodeId, reasons } = health;
  const clean = (text: string): string => text.replace(CONTROLS, '\ufffd');
  return [
    renderFields([
      ['health', healthy ? 'ok' : 'UNHEALTHY'],
      ['controller', controllerId < 0 ? 'none' : controllerId],
      ...(complete ? [] : [['told by', `node ${nodeId}, which is not the controller`] as const]),
    ]),
    ...reasons.map(
      ({ severity, detail, remedy, command }) =>
        hanging(severity.toUpperCase().padEnd(10), clean(detail)) +
        hanging('          ', clean(remedy)) +
        // In one line, however long: it is there to be copied.
        (command === '' ? '' : `    next: ${clean(command)}\n`),
    ),
  ];
}
