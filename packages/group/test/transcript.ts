// Runs a transcript: commands, a line `----`, and what was observed, up to an empty line. Commands, one a line:
//
//   shard [name=value ...]       begins anew; names are those of GroupSettings. Sessions are 10 s, rebalances 60 s unless said otherwise
//   join NAME [id=ID] [instance=I] [protocols=a,b] [metadata=X|topics=t,u] [type=T] [session=MS] [rebalance=MS] [reason=WORD]
//   sync NAME gen [NAME=assignment ...] [instance=I] [protocol=P]        heartbeat NAME gen [instance=I]
//   leave NAME [instance=I] [reason=WORD]        (NAME `-`: no member id)
//   commit NAME gen topic:partition=offset ... [metadata=SIZE]           delete-offsets topic:partition ...
//   delete | expire | topic-deleted TOPIC | fetch | describe | list
//   after MS             time passes, with a tick at every deadline
//   hold | commit-all    the high watermark stays; passes everything, and follows again
//   fail-next ERROR | fail-held ERROR            the next write is refused; what is held is cut off
//   restart              another broker takes over what is committed
//   group NAME           all that follows is about this group; `g` at first

import { invariant, type ErrorName, type PartitionIndex } from '@tidemark/core';
import { encodeSubscription } from '@tidemark/group';
import type {
  Generation,
  GroupId,
  GroupReply,
  GroupRequest,
  InstanceId,
  MemberId,
  RequestId,
} from '@tidemark/group';
import { Coordinator, timeAt } from './coordinator.ts';
import { descriptionText, recordText, replyText } from './transcript-text.ts';

type Options = ReadonlyMap<string, string>;

export class Transcript {
  #lines: string[] = [];
  #nowMs = 0;
  #settings: Record<string, number> = {};
  #coordinator!: Coordinator;
  #groupId = 'g' as GroupId;
  #requests = new Map<RequestId, string>();
  #ids = new Map<string, number>();

  constructor() {
    this.#begin();
  }

  /** The same text with what was observed put in the place of what was expected. */
  static rewrite(text: string): string {
    const transcript = new Transcript();
    const blocks = text.trimEnd().split(/\n{2,}/);
    return `${blocks.map((block) => transcript.#block(block)).join('\n\n')}\n`;
  }

  #block(block: string): string {
    const lines = block.split('\n');
    const end = lines.indexOf('----');
    const commands = end < 0 ? lines : lines.slice(0, end);
    if (commands.every((line) => line.startsWith('#'))) return commands.join('\n');
    this.#lines = [];
    for (const command of commands) if (!command.startsWith('#')) this.#run(command.trim().split(/\s+/));
    return [...commands, '----', ...(this.#lines.length === 0 ? ['nothing'] : this.#lines)].join('\n');
  }

  #begin(log: Coordinator['log'] = []): void {
    const reply = (one: GroupReply): void => {
      const name = this.#requests.get(one.requestId);
      invariant(name !== undefined, 'a request is answered twice', { one });
      this.#requests.delete(one.requestId);
      this.#lines.push(`${name}: ${replyText(one)}`);
    };
    const record: NonNullable<ConstructorParameters<typeof Coordinator>[0]['record']> = (one, offset) => {
      this.#lines.push(`log ${offset}: ${recordText(one)}`);
    };
    this.#coordinator = new Coordinator({ reply, record }, this.#nowMs, this.#settings, log);
  }

  #run([command = '', ...words]: string[]): void {
    const options: Options = new Map(
      words.filter((word) => word.includes('=')).map((word) => word.split('=', 2) as [string, string]),
    );
    const plain = words.filter((word) => !word.includes('='));
    const now = this.#nowMs;
    const coordinator = this.#coordinator;
    switch (command) {
      case 'shard':
        this.#settings = Object.fromEntries([...options].map(([name, value]) => [name, Number(value)]));
        this.#nowMs = 0;
        this.#requests.clear();
        this.#begin();
        return;
      case 'group':
        this.#groupId = plain[0]! as GroupId;
        return;
      case 'after':
        this.#pass(Number(plain[0]));
        return;
      case 'hold':
        coordinator.commitsAtOnce = false;
        return;
      case 'commit-all':
        coordinator.commitsAtOnce = true;
        coordinator.commit(coordinator.log.length, now);
        return;
      case 'fail-next':
        coordinator.nextFailure = plain[0] as ErrorName;
        return;
      case 'fail-held':
        coordinator.commitsAtOnce = true;
        coordinator.failHeld(plain[0] as ErrorName, now);
        return;
      case 'restart':
        coordinator.resign(now);
        this.#begin(coordinator.log.slice(0, coordinator.highWatermark));
        return;
      case 'expire':
        coordinator.take(coordinator.shard.expireOffsets(timeAt(now)), now);
        return;
      case 'topic-deleted':
        coordinator.take(coordinator.shard.topicDeleted(plain[0]!, timeAt(now)), now);
        return;
      case 'fetch':
      case 'describe':
      case 'list':
        this.#look(command);
        return;
      default:
        coordinator.handle(this.#request(command, plain, options), now);
    }
  }

  #pass(ms: number): void {
    const end = this.#nowMs + ms;
    for (;;) {
      const next = this.#coordinator.nextDeadlineMs;
      if (next > end) break;
      this.#nowMs = Math.max(next, this.#nowMs);
      const before = this.#lines.length;
      this.#coordinator.tick(this.#nowMs);
      if (this.#lines.length > before) this.#lines.splice(before, 0, `-- ${this.#nowMs} ms`);
      invariant(this.#coordinator.nextDeadlineMs > next, 'a deadline that does not pass', { next });
    }
    this.#nowMs = end;
  }

  #look(what: 'fetch' | 'describe' | 'list'): void {
    const { shard } = this.#coordinator;
    if (what === 'fetch') {
      const fetched = shard.fetchOffsets(this.#groupId, undefined);
      if (!fetched.ok) this.#lines.push(fetched.error);
      else {
        for (const { topic, partition, committed } of fetched.offsets) {
          this.#lines.push(`${topic}-${partition} at ${committed?.offset ?? -1}`);
        }
      }
    } else if (what === 'describe') {
      const described = shard.describe(this.#groupId);
      this.#lines.push(...(described.ok ? descriptionText(described.group) : [described.error]));
    } else {
      const listed = shard.list();
      invariant(listed.ok, 'cannot list');
      this.#lines.push(...listed.groups.map(({ groupId, state }) => `${groupId}: ${state}`));
    }
  }

  #request(command: string, plain: readonly string[], options: Options): GroupRequest {
    const [name, second] = plain;
    const requestId = this.#nextRequest(name ?? 'admin', command);
    const groupId = this.#groupId;
    const memberId = (name === '-' ? '' : (name ?? '')) as MemberId;
    const instanceId = options.get('instance') as InstanceId | undefined;
    const generation = Number(second) as Generation;
    const reason = options.get('reason');
    switch (command) {
      case 'join':
        return {
          ...{ type: 'join', requestId, groupId, instanceId, reason, clientHost: '/10.0.0.1' },
          memberId: (options.get('id') ?? '') as MemberId,
          newMemberId: this.#newId(memberId),
          clientId: memberId,
          sessionTimeoutMs: Number(options.get('session') ?? 10_000),
          rebalanceTimeoutMs: Number(options.get('rebalance') ?? 60_000),
          protocolType: options.get('type') ?? 'consumer',
          protocols: (options.get('protocols') ?? 'range').split(',').map((each) => ({
            name: each,
            metadata: subscription(options.get('topics')) ?? bytes(options.get('metadata') ?? `${memberId}!`),
          })),
        };
      case 'sync': {
        const given = [...options].filter(([key]) => key !== 'instance' && key !== 'protocol');
        const assignments = new Map(given.map(([key, value]) => [key as MemberId, bytes(value)]));
        const protocol = options.get('protocol');
        const protocolType = undefined;
        return {
          type: 'sync',
          requestId,
          groupId,
          memberId,
          instanceId,
          generation,
          protocolType,
          protocol,
          assignments,
        };
      }
      case 'heartbeat':
        return { type: 'heartbeat', requestId, groupId, memberId, instanceId, generation };
      case 'leave':
        return { type: 'leave', requestId, groupId, members: [{ memberId, instanceId, reason }] };
      case 'commit': {
        const metadata = 'x'.repeat(Number(options.get('metadata') ?? 0));
        const offsets = [...options]
          .filter(([key]) => key.includes(':'))
          .map(([key, value]) => ({ ...place(key), offset: Number(value), leaderEpoch: 1, metadata }));
        return { type: 'commitOffsets', requestId, groupId, memberId, instanceId, generation, offsets };
      }
      case 'delete-offsets':
        return { type: 'deleteOffsets', requestId, groupId, partitions: plain.map(place) };
      case 'delete':
        return { type: 'deleteGroup', requestId, groupId };
      default:
        throw new Error(`no command ${command}`);
    }
  }

  #nextRequest(name: string, command: string): RequestId {
    const count = (this.#ids.get('request') ?? 0) + 1;
    this.#ids.set('request', count);
    const who = command.startsWith('delete') ? 'admin' : name;
    this.#requests.set(count as RequestId, who);
    return count as RequestId;
  }

  /** a1, then a2. */
  #newId(name: string): MemberId {
    const count = (this.#ids.get(`member ${name}`) ?? 0) + 1;
    this.#ids.set(`member ${name}`, count);
    return `${name}${count}` as MemberId;
  }
}

function subscription(topics: string | undefined): Uint8Array | undefined {
  if (topics === undefined) return undefined;
  const nothing = { userData: undefined, ownedPartitions: [], generation: -1, rack: undefined };
  return encodeSubscription({ topics: topics.split(','), ...nothing });
}

const bytes = (value: string): Uint8Array => new TextEncoder().encode(value);

function place(text: string): { readonly topic: string; readonly partition: PartitionIndex } {
  const [topic, partition] = text.split(':');
  return { topic: topic!, partition: Number(partition) as PartitionIndex };
}
