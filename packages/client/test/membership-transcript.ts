// Members of one group as transcripts: a block of commands, `----`, and what was seen. Time moves by `after` alone. The coordinator is the
// state machine of `group`; requests and answers go through their codecs. What a member holds is a list; its application is a switch.
//
//   topic NAME COUNT|none              the topic has so many partitions from now on
//   member NAME topics=A,B|pattern=RE [strategy=A,B] [instance=ID] [poll=MS]
//   after MS                           time passes
//   hold NAME / release NAME           the application has records in its hands, or gives them back
//   late NAME                          it has not asked for more in max.poll.interval.ms
//   away NAME / here NAME              it is not in a call of ours, or is
//   slow NAME MS                       its callbacks take so long
//   move BROKER                        another broker coordinates
//   answer METHOD ERROR [COUNT]        the next requests are answered so; `lose`: they are not answered
//   close NAME
//   describe
import { defaultGroupSettings } from '@tidemark/group';
import { groupService } from '@tidemark/rpc';
import { TidemarkError } from '@tidemark/core';
import type { ErrorName } from '@tidemark/core';
import type { CallDefinition, CallOptions } from '@tidemark/rpc';
import type { GroupSettings } from '../src/consumer-settings.ts';
import { assignedPartitions, nameOf, subscriptionsOf, without } from '../src/group/assignment.ts';
import { CoordinatorCalls } from '../src/group/coordinator-calls.ts';
import type { GroupTransport } from '../src/group/coordinator-calls.ts';
import type { GroupEvent } from '../src/group/group-events.ts';
import { Membership } from '../src/group/membership.ts';
import type { PartitionHolder } from '../src/group/membership.ts';
import { Subscription } from '../src/group/subscription.ts';
import type { TopicDirectory } from '../src/group/subscription.ts';
import type { TopicPartition } from '../src/leader-calls.ts';
import { abortReason } from '../src/pause.ts';
import { FakeCoordinator } from './fake-coordinator.ts';
import { TestClock, turn } from './test-clock.ts';

const STEP_MS = 50;

const list = (partitions: readonly TopicPartition[]): string =>
  partitions.length === 0 ? '-' : partitions.map(nameOf).sort().join(' ');

class Topics implements TopicDirectory {
  readonly counts = new Map<string, number>();
  readonly #listeners = new Set<() => void>();

  get topics() {
    return [...this.counts].map(([name, count]) => ({
      name,
      internal: name.startsWith('__'),
      partitions: partitionsOf(count),
    }));
  }

  topic(name: string) {
    const count = this.counts.get(name);
    return count === undefined ? undefined : { partitions: partitionsOf(count) };
  }

  track(): boolean {
    return false;
  }

  refreshed(): Promise<void> {
    return Promise.resolve();
  }

  watchTopics(): () => void {
    return () => undefined;
  }

  keepTopics(): () => void {
    return () => undefined;
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  set(name: string, count: number | undefined): void {
    if (count === undefined) this.counts.delete(name);
    else this.counts.set(name, count);
    for (const listener of [...this.#listeners]) listener();
  }
}

function partitionsOf(count: number) {
  return Array.from({ length: count }, (_, partition) => ({
    partition,
    leaderId: 1,
    leaderEpoch: 0,
    replicas: [1],
    inSyncReplicas: [1],
  }));
}

/** What a member has, and its application. */
class Holder implements PartitionHolder {
  #owned: readonly TopicPartition[] = [];
  isHolding = false;
  isHere = true;
  callbackMs = 0;
  readonly #say: (line: string) => void;
  readonly #clock: TestClock;
  readonly #waiting = new Set<() => void>();

  constructor(clock: TestClock, say: (line: string) => void) {
    this.#clock = clock;
    this.#say = say;
  }

  owned(): readonly TopicPartition[] {
    return this.#owned;
  }

  async revoke(partitions: readonly TopicPartition[], signal: AbortSignal): Promise<void> {
    if (this.isHolding) this.#say(`waits for the records in hand before it gives up ${list(partitions)}`);
    await this.whenReleased(signal);
    await this.surrender(partitions);
  }

  async surrender(partitions: readonly TopicPartition[]): Promise<void> {
    this.#say(`revoked ${list(partitions)}`);
    await this.#callback();
    this.#owned = without(this.#owned, partitions);
  }

  async lose(reason: string): Promise<void> {
    if (this.#owned.length === 0) return;
    this.#say(`lost ${list(this.#owned)}: ${reason}`);
    await this.#callback();
    this.#owned = [];
  }

  async assign(added: readonly TopicPartition[], generation: number): Promise<void> {
    this.#owned = [...this.#owned, ...added];
    this.#say(`assigned ${list(added)} in generation ${generation}; has ${list(this.#owned)}`);
    await this.#callback();
  }

  whenReleased(signal: AbortSignal): Promise<void> {
    return this.#until(() => !this.isHolding, signal);
  }

  whenHere(signal: AbortSignal): Promise<void> {
    return this.#until(() => this.isHere, signal);
  }

  changed(): void {
    for (const look of [...this.#waiting]) look();
  }

  #until(condition: () => boolean, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        if (!signal.aborted && !condition()) return;
        this.#waiting.delete(look);
        if (signal.aborted) reject(abortReason(signal));
        else resolve();
      };
      this.#waiting.add(look);
      signal.addEventListener('abort', look, { once: true });
      look();
    });
  }

  #callback(): Promise<void> {
    if (this.callbackMs === 0) return Promise.resolve();
    return new Promise((resolve) => void this.#clock.setTimer(this.callbackMs, resolve));
  }
}

interface Member {
  readonly membership: Membership;
  readonly holder: Holder;
}

type Wire = CallDefinition<unknown, unknown> & {
  readonly requestDeserialize: (bytes: Buffer) => unknown;
  readonly responseSerialize: (answer: unknown) => Buffer;
};

export class MembershipTranscript {
  readonly #clock = new TestClock(-1);
  readonly #startMs = this.#clock.monotonicMs();
  readonly #topics = new Topics();
  readonly #members = new Map<string, Member>();
  readonly #faults: { readonly method: string; readonly error: ErrorName | 'lose'; left: number }[] = [];
  readonly #coordinator: FakeCoordinator;
  #seen: string[] = [];

  constructor() {
    this.#coordinator = new FakeCoordinator(this.#clock, {
      ...defaultGroupSettings,
      initialRebalanceDelayMs: 0,
    });
    this.#coordinator.locate = () => ({
      nodeId: this.#coordinator.brokerId,
      host: `broker-${this.#coordinator.brokerId}`,
      port: 9290,
    });
    this.#coordinator.onRequest = ({ method }) => {
      const fault = this.#faults.find((each) => each.method === method && each.left > 0);
      if (fault === undefined) return undefined;
      fault.left -= 1;
      return fault.error;
    };
  }

  /** The same blocks with what is seen now. */
  static async rewrite(text: string): Promise<string> {
    const transcript = new MembershipTranscript();
    const blocks: string[] = [];
    for (const block of text.trimEnd().split(/\n\n+/)) {
      if (block.startsWith('#')) {
        blocks.push(block);
        continue;
      }
      const commands = block.split('\n----')[0]!.split('\n');
      for (const command of commands) await transcript.#run(command);
      const seen = transcript.#seen.splice(0);
      blocks.push([...commands, '----', ...(seen.length === 0 ? ['nothing'] : seen)].join('\n'));
    }
    transcript.#coordinator.stop();
    return `${blocks.join('\n\n')}\n`;
  }

  async #run(command: string): Promise<void> {
    const [verb = '', name = '', ...rest] = command.split(' ');
    const member = this.#members.get(name);
    switch (verb) {
      case 'topic':
        this.#topics.set(name, rest[0] === 'none' ? undefined : Number(rest[0]));
        break;
      case 'member':
        this.#members.set(name, this.#join(name, options(rest)));
        break;
      case 'after':
        await this.#pass(Number(name));
        break;
      case 'hold':
      case 'release':
        member!.holder.isHolding = verb === 'hold';
        member!.holder.changed();
        break;
      case 'away':
      case 'here':
        member!.holder.isHere = verb === 'here';
        member!.holder.changed();
        break;
      case 'late':
        member!.membership.applicationIsLate();
        break;
      case 'slow':
        member!.holder.callbackMs = Number(rest[0]);
        break;
      case 'move':
        this.#coordinator.move(Number(name));
        break;
      case 'answer':
        this.#faults.push({ method: name, error: rest[0] as ErrorName | 'lose', left: Number(rest[1] ?? 1) });
        break;
      case 'close':
        void member!.membership
          .close('the consumer is closed', 30_000)
          .then(() => this.#say(`${name}: closed`));
        break;
      case 'describe':
        this.#describe();
        break;
      default:
        throw new Error(`no command: ${command}`);
    }
    await this.#settle();
  }

  #join(name: string, given: ReadonlyMap<string, string>): Member {
    const say = (line: string): void => this.#say(`${name}: ${line}`);
    const assignors = (given.get('strategy') ?? 'range').split(',');
    const settings: GroupSettings = {
      groupId: 'g',
      instanceId: given.get('instance'),
      clientId: name,
      sessionTimeoutMs: 45_000,
      heartbeatIntervalMs: 3000,
      maxPollIntervalMs: Number(given.get('poll') ?? 300_000),
      assignors,
      rebalancing: assignors.every((each) => each === 'cooperative-sticky') ? 'cooperative' : 'eager',
      autoCommit: false,
      autoCommitIntervalMs: 5000,
      requestTimeoutMs: 30_000,
      apiTimeoutMs: 60_000,
      retryBackoff: { firstMs: 100, maxMs: 1000 },
    };
    const holder = new Holder(this.#clock, say);
    const calls = new CoordinatorCalls({
      groupId: 'g',
      transport: this.#transport(say),
      clock: this.#clock,
      random: () => 0.5,
      requestTimeoutMs: settings.requestTimeoutMs,
      retryBackoff: settings.retryBackoff,
    });
    const pattern = given.get('pattern');
    const subscription = new Subscription({
      wanted: pattern === undefined ? given.get('topics')!.split(',') : new RegExp(pattern),
      directory: this.#topics,
      clock: this.#clock,
      timeoutMs: 30_000,
      onChange: (reason) => membership.requestRejoin(reason),
    });
    const membership: Membership = new Membership({
      settings,
      clock: this.#clock,
      random: () => 0.5,
      calls,
      subscription,
      holder,
      onEvent: (event: GroupEvent) => {
        if (event.type === 'left') say(`left: ${event.reason}`);
      },
      onFailed: (error) => say(`FAILED ${error.message}`),
    });
    return { membership, holder };
  }

  #transport(say: (line: string) => void): GroupTransport {
    return {
      anyAddress: () => 'broker-1:9290',
      unary: async <Request, Answer>(
        address: string,
        method: CallDefinition<Request, Answer>,
        request: Request,
        { timeoutMs = 30_000, signal }: CallOptions,
      ): Promise<Answer> => {
        const name = method.path.split('/').at(-1)!;
        const wire = (groupService as unknown as Record<string, Wire>)[name]!;
        const asked = wire.requestDeserialize(wire.requestSerialize(request));
        if (name !== 'Heartbeat') say(`> ${requestText(name, asked as never)}`);
        const served = this.#coordinator.serve(name, asked, Number(/\d+/.exec(address)![0]));
        const answer = await this.#within(served, timeoutMs, signal);
        const bytes = wire.responseSerialize(answer);
        const text = answerText(name, wire.responseDeserialize(bytes) as never);
        if (name !== 'Heartbeat' || text !== 'ok') say(`< ${name} ${text}`);
        return method.responseDeserialize(bytes);
      },
    };
  }

  #within<T>(promise: Promise<T>, timeoutMs: number, signal: AbortSignal | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      const stop = (): void => reject(abortReason(signal!));
      const timer = this.#clock.setTimer(timeoutMs, () =>
        reject(new TidemarkError('REQUEST_TIMED_OUT', 'no answer')),
      );
      signal?.addEventListener('abort', stop, { once: true });
      promise.then(resolve, reject).finally(() => {
        timer.cancel();
        signal?.removeEventListener('abort', stop);
      });
    });
  }

  async #pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= STEP_MS) {
      this.#clock.advance(Math.min(STEP_MS, left));
      await this.#settle();
    }
  }

  /** Everything that needs no time is done. */
  async #settle(): Promise<void> {
    for (let quiet = 0; quiet < 4;) {
      const before = this.#seen.length;
      await turn();
      quiet = this.#seen.length === before ? quiet + 1 : 0;
    }
  }

  #say(line: string): void {
    const ms = Math.round(this.#clock.monotonicMs() - this.#startMs);
    this.#seen.push(`${String(ms).padStart(6)} ${line}`);
  }

  #describe(): void {
    const group = this.#coordinator.describe('g');
    if (group === undefined) {
      this.#seen.push('no group');
      return;
    }
    this.#seen.push(`${group.state}, generation ${group.generation}`);
    for (const member of group.members) {
      this.#seen.push(`  ${member.memberId} has ${list(assignedPartitions(member.assignment))}`);
    }
    const cause = group.rebalances.at(-1)?.cause;
    if (cause === undefined) return;
    const reason =
      'clientReason' in cause && cause.clientReason !== undefined ? `: ${cause.clientReason}` : '';
    this.#seen.push(`  last: ${cause.type}${reason}`);
  }
}

function options(words: readonly string[]): ReadonlyMap<string, string> {
  return new Map(
    words.map((word) => [word.slice(0, word.indexOf('=')), word.slice(word.indexOf('=') + 1)] as const),
  );
}

interface AnyRequest {
  readonly memberId?: string;
  readonly groupInstanceId?: string;
  readonly generationId?: number;
  readonly reason?: string;
  readonly protocols?: readonly { readonly name: string; readonly metadata: Uint8Array }[];
  readonly assignments?: readonly { readonly memberId: string; readonly assignment: Uint8Array }[];
  readonly members?: readonly { readonly memberId: string; readonly reason: string }[];
}

function requestText(method: string, request: AnyRequest): string {
  const { memberId = '', generationId, reason, protocols, assignments = [], members } = request;
  switch (method) {
    case 'JoinGroup': {
      const [protocol] = protocols!;
      const [told] = subscriptionsOf([{ memberId: '', groupInstanceId: '', metadata: protocol!.metadata }]);
      const owned = told!.ownedPartitions.length === 0 ? '' : ` owns ${list(told!.ownedPartitions)}`;
      const names = protocols!.map(({ name }) => name).join(',');
      return `JoinGroup ${memberId === '' ? '(no id)' : memberId} ${names} [${told!.topics.join(',')}]${owned}: ${reason ?? ''}`;
    }
    case 'SyncGroup': {
      const each = assignments.map((one) => `${one.memberId}=${list(assignedPartitions(one.assignment))}`);
      return `SyncGroup ${memberId} generation ${generationId ?? -1}${each.length === 0 ? '' : ` ${each.join('; ')}`}`;
    }
    case 'LeaveGroup':
      return `LeaveGroup ${members!.map((each) => `${each.memberId}: ${each.reason}`).join('; ')}`;
    default:
      return method;
  }
}

interface AnyAnswer {
  readonly error?: { readonly name: string } | null;
  readonly memberId?: string;
  readonly generationId?: number;
  readonly protocolName?: string;
  readonly leader?: string;
  readonly skipAssignment?: boolean;
  readonly assignment?: Uint8Array;
  readonly coordinators?: readonly {
    readonly error: { readonly name: string } | null;
    readonly host: string;
  }[];
}

function answerText(method: string, answer: AnyAnswer): string {
  const error = answer.error?.name ?? answer.coordinators?.[0]?.error?.name;
  if (error !== undefined)
    return error + (method === 'JoinGroup' && answer.memberId !== '' ? ` ${answer.memberId!}` : '');
  switch (method) {
    case 'FindCoordinator':
      return answer.coordinators![0]!.host;
    case 'JoinGroup':
      return `${answer.memberId!} in generation ${answer.generationId!}, ${answer.protocolName!}, leader ${answer.leader!}${answer.skipAssignment === true ? ', the assignment stands' : ''}`;
    case 'SyncGroup':
      return list(assignedPartitions(answer.assignment!));
    default:
      return 'ok';
  }
}
