// A group under faults, with real processes: twelve members share 48 partitions of a cluster of three while records are written; members
// are killed and frozen past their session, brokers are restarted one after the other, the coordinator is killed. Held against the
// rules of at-least-once: every record is processed; no commit is past what was processed; committed offsets never go back.
//
//   node --import tsx --conditions=@tidemark/source test/scale/groups/work.ts [--records 100000] [--members 12] [--strategy NAME]
//
// Exit code 1 when a rule is broken. Duplicates are counted: at-least-once allows them.
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Producer } from '@tidemark/client';
import { Cluster, eventually } from '../../integration/cluster.ts';
import { MemberProcess } from './member-process.ts';

const { values } = parseArgs({
  options: {
    records: { type: 'string', default: '100000' },
    members: { type: 'string', default: '12' },
    partitions: { type: 'string', default: '48' },
    seconds: { type: 'string', default: '70' },
    strategy: { type: 'string', default: 'cooperative-sticky' },
  },
});
const RECORDS = Number(values.records);
const PARTITIONS = Number(values.partitions);
const SECONDS = Number(values.seconds);
const TOPIC = 'jobs';
const GROUP = 'workers';
const SESSION_MS = 6_000;

const startMs = performance.now();
const say = (text: string): void =>
  void process.stdout.write(`[${((performance.now() - startMs) / 1000).toFixed(1).padStart(6)} s] ${text}\n`);
const faults: string[] = [];

/** Of each partition which offsets were processed, and how often more than once. */
class Processed {
  readonly #seen = Array.from({ length: PARTITIONS }, () => new Set<number>());
  /** Everything below is processed. */
  readonly #contiguous = new Array<number>(PARTITIONS).fill(0);
  total = 0;
  duplicates = 0;

  add(partition: number, first: number, next: number): void {
    const seen = this.#seen[partition]!;
    for (let offset = first; offset < next; offset++) {
      if (seen.has(offset)) this.duplicates++;
      else {
        seen.add(offset);
        this.total++;
      }
    }
    while (seen.has(this.#contiguous[partition]!)) this.#contiguous[partition]!++;
  }

  upTo(partition: number): number {
    return this.#contiguous[partition]!;
  }
}

const cluster = await Cluster.start({
  nodes: [{ id: 1 }, { id: 2 }, { id: 3 }],
  settings: { 'group.initial.rebalance.delay.ms': '500' },
});
const members: MemberProcess[] = [];
const processed = new Processed();
let generations = 0;
let lost = 0;
const errors = new Map<string, number>();
let spawned = 0;

function spawnMember(): MemberProcess {
  const member = new MemberProcess({
    addresses: cluster.addresses(),
    groupId: GROUP,
    topic: TOPIC,
    strategy: values.strategy,
    msPerRecord: 1,
    sessionTimeoutMs: SESSION_MS,
    name: `member-${++spawned}`,
    onLine: (_, kind, rest) => {
      if (kind === 'd') processed.add(Number(rest[0]), Number(rest[1]), Number(rest[2]));
      if (kind === 'g') generations = Math.max(generations, Number(rest[0]));
      if (kind === 'l') lost++;
      if (kind === 'e') {
        const text = rest.join(' ').slice(0, 120);
        errors.set(text, (errors.get(text) ?? 0) + 1);
      }
    },
  });
  members.push(member);
  return member;
}

try {
  const admin = cluster.admin();
  await admin.createTopic({
    name: TOPIC,
    partitions: PARTITIONS,
    replicationFactor: 3,
    configs: { 'min.insync.replicas': '2' },
  });
  for (let at = 0; at < Number(values.members); at++) spawnMember();

  const producer = new Producer({ brokers: cluster.addresses() });
  let acknowledged = 0;
  const end = { isOver: false };
  const producing = (async () => {
    const begunMs = performance.now();
    for (let at = 0; at < RECORDS; at++) {
      producer.send({ topic: TOPIC, partition: at % PARTITIONS, value: `${at}` }, (error) => {
        if (error === undefined) acknowledged++;
        else faults.push(`a record could not be written: ${String(error)}`);
      });
      if (at % 200 === 199) {
        const dueMs = ((at + 1) / RECORDS) * SECONDS * 1_000;
        const aheadMs = dueMs - (performance.now() - begunMs);
        if (aheadMs > 0) await sleep(aheadMs);
      }
    }
    await producer.flush();
    await producer.close();
  })();

  const committed = new Array<number>(PARTITIONS).fill(0);
  let samples = 0;
  async function sampleCommitted(): Promise<void> {
    const offsets = await admin.groupOffsets(GROUP);
    samples++;
    for (const { partition, offset } of offsets) {
      if (offset < committed[partition]!) {
        faults.push(
          `the committed offset of ${partition} went back from ${committed[partition]} to ${offset}`,
        );
      }
      // What was printed before the commit has arrived here by now, or is in a pipe: look again before blaming anybody.
      if (offset > processed.upTo(partition)) {
        await sleep(500);
        if (offset > processed.upTo(partition)) {
          faults.push(
            `${partition} is committed up to ${offset}, processed up to ${processed.upTo(partition)}`,
          );
        }
      }
      committed[partition] = Math.max(committed[partition]!, offset);
    }
  }
  const sampling = (async () => {
    while (!end.isOver) {
      await sampleCommitted().catch(() => undefined);
      await sleep(200);
    }
  })();

  await eventually('every partition has an owner', 90_000, () => {
    const owned = new Set(members.flatMap((member) => [...member.owned]));
    return owned.size === PARTITIONS ? true : undefined;
  });
  say(`${members.length} members own ${PARTITIONS} partitions, generation ${generations}`);

  const slot = (SECONDS * 1_000) / 10;
  for (let round = 0; round < 4; round++) {
    await sleep(slot / 2);
    const victim = members.filter(({ isRunning }) => isRunning)[round * 2]!;
    await victim.end('SIGKILL');
    say(`killed ${victim.name}, which had ${victim.owned.size} partitions`);
    victim.owned.clear();
    spawnMember();
    await sleep(slot / 2);
    if (round % 2 === 0) {
      const frozen = members.filter(({ isRunning }) => isRunning)[round + 1]!;
      frozen.signal('SIGSTOP');
      say(`froze ${frozen.name} for ${SESSION_MS + 3_000} ms`);
      void sleep(SESSION_MS + 3_000).then(() => {
        frozen.signal('SIGCONT');
        say(`${frozen.name} goes on`);
      });
    }
  }
  for (const node of cluster.nodes) {
    await node.server.stop();
    await node.supervise();
    say(`broker ${node.id} was restarted`);
    await eventually('everything in sync', 60_000, async () => {
      const listed = await cluster.cli(['partition', 'list', '--under-replicated', '-o', 'json']);
      return listed.code === 0 && (JSON.parse(listed.stdout) as unknown[]).length === 0 ? true : undefined;
    });
  }
  const { coordinatorId } = await admin.describeGroup(GROUP);
  const coordinator = cluster.node(coordinatorId);
  await coordinator.server.kill();
  say(`killed broker ${coordinator.id}, the group's coordinator`);
  await sleep(3_000);
  await coordinator.supervise();
  await producing;
  say(`${acknowledged} records acknowledged`);
  const outcome = await eventually('every record is processed', 120_000, () =>
    processed.total >= RECORDS ? processed.total : undefined,
  ).catch((error: unknown) => String(error));
  if (outcome !== RECORDS) faults.push(`processed ${processed.total} of ${RECORDS}: ${outcome}`);
  for (const member of members) await member.end('SIGTERM');
  end.isOver = true;
  await sampling;
  await sampleCommitted();
  const left = committed.reduce((sum, offset) => sum + offset, 0);
  if (left !== RECORDS) faults.push(`committed ${left} of ${RECORDS} after an orderly end`);
  say(
    `processed ${processed.total}, duplicates ${processed.duplicates} (${((100 * processed.duplicates) / RECORDS).toFixed(2)} %), generations ${generations}, ${lost} times partitions were lost, ${samples} samples of the committed offsets`,
  );
  for (const [text, count] of errors) say(`${count} x ${text}`);
} finally {
  for (const member of members) {
    member.signal('SIGCONT');
    await member.end('SIGKILL');
  }
  await cluster.dispose();
}
for (const fault of faults) say(`WRONG ${fault}`);
say(faults.length === 0 ? 'PASSED' : 'FAILED');
process.exitCode = faults.length === 0 ? 0 : 1;
