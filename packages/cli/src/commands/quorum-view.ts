// How the quorum of controllers looks to people, and how they name a voter. Pure.
import type { NewVoter, QuorumDescription, QuorumReplicaInfo, VoterReference } from '@tidemark/client';
import { usageFailure } from '../exit.ts';
import { formatMs } from '../output/quantity.ts';
import { renderFields, renderTable, type Column } from '../output/report.ts';
import { hostPort } from './cluster-view.ts';

interface ReplicaRow extends QuorumReplicaInfo {
  readonly role: 'leader' | 'voter' | 'observer';
}

const known = (value: number): string | number => (value < 0 ? '-' : value);

const replicaColumns: readonly Column<ReplicaRow>[] = [
  { header: 'node', cell: ({ nodeId }) => nodeId, align: 'right' },
  { header: 'role', cell: ({ role }) => role },
  { header: 'match', cell: ({ matchOffset }) => known(matchOffset), align: 'right' },
  { header: 'lag', cell: ({ lag }) => known(lag), align: 'right' },
  {
    header: 'contact',
    cell: ({ role, lastContactMs }) =>
      role === 'leader' || lastContactMs < 0 ? '-' : formatMs(lastContactMs),
    align: 'right',
  },
  { header: 'directory', cell: ({ directoryId }) => directoryId },
  { header: 'state', cell: ({ state }) => (state === 'unknown' ? '-' : state), wide: true },
  { header: 'endpoint', cell: (row) => (row.host === '' ? '-' : hostPort(row)), wide: true },
];

export function quorumView(quorum: QuorumDescription, wide: boolean): readonly string[] {
  const { leaderId, leaderDirectoryId, snapshotOffset } = quorum;
  const isLeader = ({ nodeId, directoryId }: QuorumReplicaInfo): boolean =>
    nodeId === leaderId && directoryId === leaderDirectoryId;
  const rows: readonly ReplicaRow[] = [
    ...quorum.voters.map((row) => ({
      ...row,
      role: isLeader(row) ? ('leader' as const) : ('voter' as const),
    })),
    ...quorum.observers.map((row) => ({ ...row, role: 'observer' as const })),
  ];
  return [
    renderFields([
      ['leader', leaderId < 0 ? 'none' : leaderId],
      ['term', quorum.term],
      ['told by', `node ${quorum.nodeId} (${quorum.role})`],
      ['committed', quorum.commitOffset],
      ['applied', quorum.appliedOffset],
      ['log', `${quorum.logStartOffset} to ${quorum.logEndOffset}`],
      ['snapshot', snapshotOffset < 0 ? 'none' : `up to ${snapshotOffset}`],
    ]),
    renderTable(rows, replicaColumns, { wide }),
  ];
}

const MAX_NODE_ID = 2 ** 31 - 1;

export function parseNodeId(text: string): number {
  const id = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (id <= MAX_NODE_ID) return id;
  throw usageFailure(`"${text}" is not a node id: give a whole number from 0 to ${MAX_NODE_ID}`);
}

const DIRECTORY_ID = /^[A-Za-z0-9_-]{22}$/;

function directoryId(text: string): string {
  if (DIRECTORY_ID.test(text)) return text;
  const hint = 'copy it from `tidemark quorum status`';
  throw usageFailure(`"${text}" is not a directory id, which has 22 letters, digits, - and _`, hint);
}

/** `NODE_ID:DIRECTORY_ID@HOST:PORT`. */
export function parseNewVoter(text: string): NewVoter {
  const match = /^(\d+):([^@]*)@(\[[0-9a-fA-F:.]+\]|[^:@\s/]+):(\d{1,5})$/.exec(text);
  if (match === null) {
    throw usageFailure(
      `"${text}" is not NODE_ID:DIRECTORY_ID@HOST:PORT`,
      'give --node NODE_ID for a node that `tidemark quorum status` shows as an observer',
    );
  }
  const port = Number(match[4]);
  if (port < 1 || port > 65535) throw usageFailure(`port ${port} does not exist`);
  return {
    nodeId: parseNodeId(match[1]!),
    directoryId: directoryId(match[2]!),
    host: match[3]!.replace(/^\[|\]$/g, ''),
    port,
  };
}

/** `NODE_ID` or `NODE_ID:DIRECTORY_ID`. */
export function parseVoterReference(text: string): VoterReference {
  const at = text.indexOf(':');
  if (at < 0) return { nodeId: parseNodeId(text) };
  return { nodeId: parseNodeId(text.slice(0, at)), directoryId: directoryId(text.slice(at + 1)) };
}
