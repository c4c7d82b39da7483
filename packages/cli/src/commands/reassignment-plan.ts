// Reassignments as files in Kafka's format, what they move, and what a throttle on them holds for. Pure.
// The rule of Kafka's ReassignPartitionsCommand: replicas that are there already are throttled as leaders, since any may lead and send;
// replicas that come are throttled as followers. A follower that merely fell behind is in neither list.
import { CommandFailure, exitCodes } from '../exit.ts';

export interface PlannedPartition {
  readonly topic: string;
  readonly partition: number;
  /** The preferred leader first. */
  readonly replicas: readonly number[];
}

/** A partition as it is, `addingReplicas` those that a move under way brings. */
export interface PlacedPartition extends PlannedPartition {
  readonly addingReplicas: readonly number[];
}

export interface MoveThrottle {
  /** Whoever sends or takes, ascending. */
  readonly brokerIds: readonly number[];
  /** Members of leader.replication.throttled.replicas by topic. */
  readonly leaders: ReadonlyMap<string, readonly string[]>;
  /** Members of follower.replication.throttled.replicas by topic. */
  readonly followers: ReadonlyMap<string, readonly string[]>;
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

/** `source` is for the messages. `log_dirs` may be there with "any" only: a node has one folder. */
export function parseReassignment(text: string, source: string): readonly PlannedPartition[] {
  const refuse = (cause: string): CommandFailure =>
    new CommandFailure(`${source} is no reassignment: ${cause}`, {
      exitCode: exitCodes.usage,
      hint: 'make one with `tidemark reassign plan`: {"version":1,"partitions":[{"topic":"t","partition":0,"replicas":[1,2,3]}]}',
    });
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    throw refuse(error instanceof Error ? error.message : String(error));
  }
  const { version, partitions } = (document ?? {}) as { version?: unknown; partitions?: unknown };
  if (version !== 1) throw refuse('its version is not 1');
  if (!Array.isArray(partitions) || partitions.length === 0) throw refuse('it names no partitions');
  const seen = new Set<string>();
  return partitions.map((each: unknown, at): PlannedPartition => {
    const { topic, partition, replicas, log_dirs } = (each ?? {}) as Record<string, unknown>;
    if (typeof topic !== 'string' || !isCount(partition)) {
      throw refuse(`entry ${at + 1} has no topic and partition`);
    }
    const name = `${topic}:${partition}`;
    if (seen.has(name)) throw refuse(`${name} is there twice`);
    seen.add(name);
    if (!Array.isArray(replicas) || replicas.length === 0 || !replicas.every(isCount)) {
      throw refuse(`the replicas of ${name} are not broker ids`);
    }
    if (new Set(replicas).size < replicas.length) throw refuse(`${name} has a broker twice`);
    if (Array.isArray(log_dirs) && log_dirs.some((folder) => folder !== 'any')) {
      throw refuse(`${name} names a log folder, and a node has only one: give "any"`);
    }
    return { topic, partition, replicas };
  });
}

/** As a file to apply: what `parseReassignment` reads. */
export function reassignmentFile(partitions: readonly PlannedPartition[]) {
  return {
    version: 1,
    partitions: partitions.map(({ topic, partition, replicas }) => ({ topic, partition, replicas })),
  };
}

/**
 * Puts all replicas on these brokers and moves as few as possible: whoever may stay does, and the rest goes to whoever has fewest. Throws when
 * there are fewer brokers than a partition has replicas.
 */
export function proposeReassignment(
  partitions: readonly PlannedPartition[],
  brokerIds: readonly number[],
): readonly PlannedPartition[] {
  const load = new Map(brokerIds.map((id) => [id, 0]));
  const add = (id: number): void => void load.set(id, (load.get(id) ?? 0) + 1);
  for (const { replicas } of partitions) for (const id of replicas) if (load.has(id)) add(id);
  return partitions.map(({ topic, partition, replicas }) => {
    if (brokerIds.length < replicas.length) {
      throw new CommandFailure(
        `${topic}:${partition} has ${replicas.length} replicas, and only ${brokerIds.length} brokers are named`,
        { exitCode: exitCodes.usage, hint: 'name as many; see which there are with `tidemark cluster info`' },
      );
    }
    const taken = new Set(replicas.filter((id) => load.has(id)));
    const target = replicas.map((id) => {
      if (load.has(id)) return id;
      let best: number | undefined;
      for (const [candidate, count] of load) {
        if (taken.has(candidate)) continue;
        if (best === undefined || count < load.get(best)!) best = candidate;
      }
      taken.add(best!);
      add(best!);
      return best!;
    });
    return { topic, partition, replicas: target };
  });
}

export function throttleOf(
  current: readonly PlacedPartition[],
  planned: readonly PlannedPartition[],
): MoveThrottle {
  const places = new Map(current.map((each) => [`${each.topic}:${each.partition}`, each]));
  const brokers = new Set<number>();
  const leaders = new Map<string, string[]>();
  const followers = new Map<string, string[]>();
  const note = (map: Map<string, string[]>, topic: string, member: string): void => {
    const members = map.get(topic);
    if (members === undefined) map.set(topic, [member]);
    else members.push(member);
  };
  for (const { topic, partition, replicas } of planned) {
    const place = places.get(`${topic}:${partition}`);
    const sources = place?.replicas.filter((id) => !place.addingReplicas.includes(id)) ?? [];
    const coming = replicas.filter((id) => !sources.includes(id));
    if (coming.length === 0) continue;
    for (const id of sources) note(leaders, topic, `${partition}:${id}`);
    for (const id of coming) note(followers, topic, `${partition}:${id}`);
    for (const id of [...sources, ...coming]) brokers.add(id);
  }
  return { brokerIds: [...brokers].sort((a, b) => a - b), leaders, followers };
}

/** What a topic's list becomes: moves that are under way keep their throttle, and `*` holds for all already. */
export function mergedMembers(before: string, added: readonly string[]): string {
  if (before === '*') return before;
  return [...new Set([...before.split(',').filter((member) => member !== ''), ...added])].join(',');
}
