// How events and messages read in a transcript. `t2@5` is a log up to offset 5 whose last entry is of term 2; an entry is named by
// the position it ends at. `2B` is node 2 with its second disk.

import type { Entry, LogPosition, RaftMessage, ReplicaKey, VoterSet } from '@tidemark/raft';
import { decodeVoters } from '@tidemark/raft';
import type { GroupEvent } from './replica-group.ts';

const at = ({ term, endOffset }: LogPosition): string => `t${term}@${endOffset}`;

export const nameOf = ({ nodeId, directoryId }: ReplicaKey): string =>
  directoryId === '' || directoryId.startsWith('A') ? `${nodeId}` : `${nodeId}${directoryId[0]!}`;

export const votersText = (voters: VoterSet): string =>
  voters.length === 0 ? 'no voters' : `voters ${voters.map(nameOf).join(' ')}`;

function entryText(entry: Entry): string {
  const where = at(entry);
  if (entry.kind === 'leaderChange') return `${where} (leader)`;
  if (entry.kind === 'data') return where;
  const decoded = decodeVoters(entry.payload);
  return `${where} (${decoded.ok ? votersText(decoded.voters) : 'voters that cannot be read'})`;
}

function bodyText(message: RaftMessage): string {
  switch (message.type) {
    case 'vote':
      return `${message.pre ? ' pre' : ''}${message.transfer ? ' transfer' : ''} term ${message.term}, log ${at(message.last)}`;
    case 'voteResponse':
      return `${message.pre ? ' pre' : ''} ${message.granted ? 'granted' : 'refused'} term ${message.term}`;
    case 'append': {
      const { term, previous, entries, commitOffset, round } = message;
      const what = entries.length === 0 ? '' : `: ${entries.map(entryText).join(', ')}`;
      return ` term ${term}, commit ${commitOffset}${round > 0 ? `, round ${round}` : ''}, after ${at(previous)}${what}`;
    }
    case 'appendResponse': {
      const { term, matchOffset, refused, round } = message;
      const inRound = round > 0 ? `, round ${round}` : '';
      if (refused !== undefined) {
        return ` term ${term}${inRound}, refuses ${at(refused.previous)}, has ${at(refused.conflict)}`;
      }
      return ` term ${term}${inRound}, ${matchOffset === undefined ? 'nothing else' : `match ${matchOffset}`}`;
    }
    case 'snapshot': {
      const { term, snapshot, position, bytes, isLast, round } = message;
      return ` term ${term}, round ${round}, ${at(snapshot)} bytes ${position}..${position + bytes.length}${isLast ? ', the last' : ''}`;
    }
    case 'snapshotResponse': {
      const { term, snapshot, nextPosition, round } = message;
      const wants = nextPosition === undefined ? 'needs no more' : `next ${nextPosition}`;
      return ` term ${term}, round ${round}, ${at(snapshot)} ${wants}`;
    }
    case 'join':
      return ` term ${message.term}, log ${at(message.last)}`;
    case 'leaderHint': {
      const { leader, term } = message;
      return ` term ${term}, ${leader === undefined ? 'nobody known' : `ask ${nameOf(leader)}`}`;
    }
    case 'timeoutNow':
      return ` term ${message.term}`;
  }
}

export const messageText = (message: RaftMessage): string =>
  `${nameOf(message.from)} -> ${nameOf(message.to)} ${message.type}${bodyText(message)}`;

/** Undefined for what is told otherwise: messages when they arrive, writes when a disk is held. */
export function eventText(event: GroupEvent): string | undefined {
  switch (event.type) {
    case 'role': {
      const { node, role, term, leader } = event;
      const of = leader === undefined || role === 'leader' ? '' : ` of ${leader}`;
      return `${node} is ${role}${of} in term ${term}`;
    }
    case 'committed':
      return `${event.node} knows of commit ${event.endOffset}`;
    case 'truncated':
      return `${event.node} cuts its log to ${event.endOffset}`;
    case 'installed':
      return `${event.node} installs a snapshot up to ${event.endOffset}`;
    case 'voters':
      return `${event.node} has ${votersText(event.voters)}`;
    case 'read':
      return `${event.node} read ${event.id} ${event.outcome}`;
    case 'entryRead':
      return `${event.node} reads its log from ${event.read.from} to ${event.read.upTo} for ${nameOf(event.read.to)}`;
    case 'snapshotRead': {
      const { snapshot, position, to } = event.read;
      const which = snapshot === undefined ? 'its newest snapshot' : `snapshot ${at(snapshot)}`;
      return `${event.node} reads ${which} from byte ${position} for ${nameOf(to)}`;
    }
    case 'written': {
      const { node, step } = event;
      if (step.type === 'entry') return `${node} has written ${entryText(step.entry)}`;
      if (step.type === 'truncate') return `${node} has cut its log on disk to ${step.to}`;
      if (step.type === 'install') return `${node} has stored snapshot ${at(step.install.snapshot)}`;
      const { term, vote } = step.hardState;
      return `${node} has written term ${term}${vote === undefined ? '' : `, vote for ${nameOf(vote)}`}`;
    }
    case 'sent':
      return undefined;
  }
}
