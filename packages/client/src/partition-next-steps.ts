// What to do about a partition, the safest first. Each step is a sentence and, where there is one, a command to copy. Pure.
import type { LeaderCandidate } from './partition-candidates.ts';
import type { ExplainedReplica, PartitionState } from './partition-explanation.ts';
import type { PartitionSituation } from './partition-situation.ts';

export interface NextStep {
  readonly text: string;
  /** Empty when there is none. */
  readonly command: string;
}

export function nextSteps(
  situation: PartitionSituation,
  replicas: readonly ExplainedReplica[],
  candidates: readonly LeaderCandidate[],
  state: PartitionState,
): readonly NextStep[] {
  const steps: NextStep[] = [];
  const say = (text: string, command = ''): void => void steps.push({ text, command });
  const name = `${situation.topic}:${situation.partition}`;
  const leader = replicas.find(({ brokerId }) => brokerId === situation.leaderId);
  if (state === 'offline') offlineSteps(situation, candidates, name, say);
  else if (leader?.note.includes('isolated') === true) {
    say(
      `Broker ${leader.brokerId} leads and does not reach the controller: look at its network. When its session ends, another in-sync replica takes over by itself.`,
      'tidemark quorum status',
    );
  } else if (leader?.role === 'unknown') {
    say(
      `Broker ${leader.brokerId} leads and did not answer: look whether its process runs and can be reached. If it is dead the controller fences it and elects another.`,
      'tidemark cluster info',
    );
  }
  for (const { brokerId } of replicas.filter(({ role }) => role === 'unopened')) {
    say(
      `Broker ${brokerId} could not open the log: make room if its disk is full, and it goes on by itself; mend what its own log names else, and start it again.`,
    );
  }
  const behind = replicas.filter(({ membership }) => membership !== 'in-sync');
  for (const replica of state === 'offline' ? [] : behind) stepFor(replica, say);
  if (state === 'under-min-isr') {
    say(
      `Until ${situation.minInsyncReplicas} replicas are in sync, acks=all is refused and nothing more is committed. Lowering min.insync.replicas would allow it, at the price that what is acknowledged then is on fewer disks.`,
    );
  }
  if (state !== 'offline' && situation.replicas[0] !== situation.leaderId) {
    const preferred = replicas[0];
    if (preferred?.membership === 'in-sync' && !preferred.fenced) {
      say(
        `Broker ${preferred.brokerId} is the preferred leader and in sync: it can take over.`,
        `tidemark partition elect-leader ${name}`,
      );
    }
  }
  return steps;
}

type Say = (text: string, command?: string) => void;

function stepFor({ brokerId, role, fenced, note }: ExplainedReplica, say: Say): void {
  if (fenced) say(`Start broker ${brokerId} again: it catches up and joins the in-sync replicas by itself.`);
  else if (role === 'unopened') return;
  else if (role === 'absent') {
    say(`Wait until broker ${brokerId} has made its replica; if that takes minutes, read its log.`);
  } else if (role === 'unknown') {
    say(`Broker ${brokerId} did not answer: look whether it can be reached.`, 'tidemark cluster info');
  } else if (note.includes('waiting')) {
    say(`Broker ${brokerId} waits instead of fetching (${note}): remove that cause; it goes on by itself.`);
  } else {
    say(`Broker ${brokerId} is out of sync and catching up: look again, its lag should fall.`);
  }
}

function offlineSteps(
  { inSyncReplicas, eligibleLeaderReplicas, lastKnownLeaderReplicas }: PartitionSituation,
  candidates: readonly LeaderCandidate[],
  name: string,
  say: Say,
): void {
  const clean = candidates.filter(({ by }) => by === 'in-sync' || by === 'eligible');
  const ready = clean.find(({ available }) => available);
  if (ready !== undefined) {
    say(`Broker ${ready.brokerId} may lead and is there: an election is due by itself. Look again.`);
    return;
  }
  const ids = inSyncReplicas.length > 0 ? inSyncReplicas : eligibleLeaderReplicas;
  if (ids.length > 0) {
    const which = ids.length === 1 ? `broker ${ids[0]}` : `one of the brokers ${ids.join(', ')}`;
    say(
      `Start ${which} again: it has everything committed, and leads as soon as it is there. (What only acks=1 acknowledged may be gone.)`,
    );
  } else if (lastKnownLeaderReplicas.length > 0) {
    say(
      `Start broker ${lastKnownLeaderReplicas.join(', ')} again: it led last, and no other replica surely has more.`,
    );
  }
  const lost = ids.length > 0 ? ids : lastKnownLeaderReplicas;
  // What the controller would take, whatever the others have.
  const chosen = candidates.find(({ by, available }) => by === 'unclean' && available);
  if (chosen === undefined) {
    say('No replica of it is on a broker that is there: any of them must be started first.');
    return;
  }
  say(
    `Only when ${lost.length === 1 ? 'that broker is' : 'those brokers are'} lost for good, an unclean election. It takes broker ${chosen.brokerId}, which ${chosen.loss.text}.`,
    `tidemark partition elect-leader ${name} --unclean`,
  );
}
