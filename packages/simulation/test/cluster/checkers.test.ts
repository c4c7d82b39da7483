import { expect } from 'chai';
import { type NodeId, type Offset, type Term } from '@tidemark/core';
import { encodeVoters, type Entry, type EntryKind, type Role, type Voter } from '@tidemark/raft';
import {
  ClientHistory,
  ClusterChecks,
  ImageChecks,
  type CheckerName,
  type ImageView,
  type Known,
  type Outcome,
  type TopicView,
} from '@tidemark/simulation';

const voter = (id: number): Voter => ({
  nodeId: id as NodeId,
  directoryId: Buffer.from(new Uint8Array(16).fill(id)).toString('base64url'),
  endpoint: { host: 'h', port: id },
});
const VOTERS = [1, 2, 3].map(voter);
const term = (value: number): Term => value as Term;
const offset = (value: number): Offset => value as Offset;

function entry(at: number, ofTerm: number, content = 'x', kind: EntryKind = 'data'): Entry {
  // The first 16 bytes are stamped and do not count.
  const payload = new Uint8Array(16 + content.length);
  payload.set(new TextEncoder().encode(content), 16);
  return { kind, term: term(ofTerm), baseOffset: offset(at), endOffset: offset(at + 1), payload };
}
const votersEntry = (at: number, ofTerm: number, ...ids: number[]): Entry => ({
  ...entry(at, ofTerm, '', 'voters'),
  payload: encodeVoters(ids.map(voter)),
});

/** A cluster told by hand; `found` is the first complaint. */
function watched() {
  const complaints: CheckerName[] = [];
  const checks = new ClusterChecks((checker) => complaints.push(checker), VOTERS);
  const incarnations = new Map<number, number>();
  const replica = (id: number, end = { term: term(0), endOffset: offset(0) }, committed = 0) => {
    const incarnation = (incarnations.get(id) ?? 0) + 1;
    incarnations.set(id, incarnation);
    const observer = checks.observe(voter(id), incarnation);
    observer.started?.(end, offset(committed));
    return {
      role: (role: Role, ofTerm: number) => observer.roleChanged?.(role, term(ofTerm), undefined),
      append: (...entries: Entry[]) => observer.appended?.(entries),
      truncate: (at: number) => observer.truncated?.(offset(at)),
      commit: (at: number) => observer.committed?.(offset(at)),
      install: (ofTerm: number, at: number) =>
        observer.snapshotInstalled?.({ term: term(ofTerm), endOffset: offset(at) }, VOTERS),
    };
  };
  return { checks, replica, complaints };
}

type Told = ReturnType<typeof watched>;

/** Replica 1 leads in term 1 and has committed `count` entries, which replica 2 has, too. */
function led(told: Told, count: number) {
  const [one, two] = [told.replica(1), told.replica(2)];
  one.role('leader', 1);
  two.role('follower', 1);
  const entries = Array.from({ length: count }, (_, at) => entry(at, 1));
  one.append(...entries);
  two.append(...entries);
  one.commit(count);
  return { one, two };
}

const stories: readonly [what: string, checker: CheckerName, told: (told: Told) => void][] = [
  [
    'two leaders in one term',
    'election-safety',
    ({ replica }) => {
      replica(1).role('leader', 3);
      replica(2).role('leader', 3);
    },
  ],
  [
    'a replica that leads again in its term after a restart',
    'election-safety',
    ({ replica }) => {
      replica(1).role('leader', 3);
      replica(1).role('leader', 3);
    },
  ],
  [
    'a leader that cuts its log',
    'leader-append-only',
    (told) => {
      const { one } = led(told, 2);
      one.append(entry(2, 1));
      one.truncate(2);
    },
  ],
  [
    'a follower that cuts what the leader of its term gave it',
    'leader-append-only',
    (told) => {
      const { two } = led(told, 2);
      two.append(entry(2, 1));
      two.truncate(2);
    },
  ],
  [
    'a leader that appends an entry of another term',
    'leader-append-only',
    (told) => led(told, 2).one.append(entry(2, 2)),
  ],
  [
    'other content at the same term and offset',
    'log-matching',
    (told) => {
      const { one, two } = led(told, 2);
      one.append(entry(2, 1, 'here'));
      two.append(entry(2, 1, 'there'));
    },
  ],
  [
    'the same entry behind another one',
    'log-matching',
    ({ replica }) => {
      const [one, two] = [replica(1), replica(2)];
      one.append(entry(0, 1), entry(1, 3));
      two.append(entry(0, 2), entry(1, 3));
    },
  ],
  ['a gap in a log', 'log-matching', (told) => led(told, 2).two.append(entry(3, 1))],
  [
    'a restart with a log nobody had',
    'log-matching',
    (told) => {
      led(told, 2);
      told.replica(3, { term: term(1), endOffset: offset(5) });
    },
  ],
  [
    'a snapshot of what no log reached',
    'log-matching',
    (told) => {
      led(told, 2);
      told.replica(3).install(1, 7);
    },
  ],
  [
    'a leader without a committed entry',
    'leader-completeness',
    (told) => {
      led(told, 2);
      const three = told.replica(3);
      three.append(entry(0, 1));
      three.role('leader', 2);
    },
  ],
  [
    'a leader that commits an entry of an older term by itself',
    'leader-commit',
    (told) => {
      const { two } = led(told, 2);
      two.role('leader', 2);
      two.append(entry(2, 2, '', 'leaderChange'));
      two.commit(2);
    },
  ],
  [
    'another entry committed at the same offset',
    'state-machine-safety',
    (told) => {
      led(told, 1);
      const three = told.replica(3);
      three.append(entry(0, 2));
      three.commit(1);
    },
  ],
  [
    'a commit offset that goes back',
    'state-machine-safety',
    (told) => {
      const { one } = led(told, 2);
      one.commit(1);
    },
  ],
  ['a commit inside an entry, or past the log', 'state-machine-safety', (told) => led(told, 2).two.commit(4)],
  [
    'a log cut below what is committed',
    'state-machine-safety',
    (told) => {
      const { two } = led(told, 3);
      two.commit(2);
      two.truncate(1);
    },
  ],
  [
    'a restart with something else applied',
    'state-machine-safety',
    (told) => {
      led(told, 1);
      told.replica(3).append(entry(0, 2));
      told.replica(3, { term: term(2), endOffset: offset(1) }, 1);
    },
  ],
  [
    'a snapshot of what was not committed',
    'state-machine-safety',
    (told) => {
      led(told, 1);
      told.replica(3).append(entry(0, 2));
      told.replica(2).install(2, 1);
    },
  ],
  [
    'a snapshot older than what is committed',
    'state-machine-safety',
    (told) => {
      const { two } = led(told, 3);
      two.commit(3);
      two.install(1, 2);
    },
  ],
  [
    'two votes in a term, with a restart between them',
    'one-vote-per-term',
    ({ checks, replica }) => {
      checks.voteSent(voter(1), term(4), voter(2));
      replica(1);
      checks.voteSent(voter(1), term(4), voter(3));
    },
  ],
  ['two voters changed at once', 'voter-change', (told) => led(told, 1).one.append(votersEntry(1, 1, 1, 4))],
  [
    'a change before the one before is committed',
    'voter-change',
    (told) => led(told, 1).one.append(votersEntry(1, 1, 1, 2, 3, 4), votersEntry(2, 1, 1, 2, 3, 4, 5)),
  ],
  [
    'a change before the leader has committed anything of its term',
    'voter-change',
    (told) => {
      const { two } = led(told, 1);
      two.commit(1);
      two.role('leader', 2);
      two.append(entry(1, 2, '', 'leaderChange'), votersEntry(2, 2, 1, 2));
    },
  ],
  [
    'a read that was confirmed behind what was committed',
    'linearizable-read',
    (told) => {
      led(told, 3);
      told.checks.readAnswered('1', offset(3), offset(2), 1);
    },
  ],
  [
    'a read that was answered from an older image',
    'linearizable-read',
    (told) => {
      led(told, 3);
      told.checks.readAnswered('1', offset(3), offset(3), 1);
    },
  ],
];

describe('the checkers of the log', () => {
  for (const [what, checker, tell] of stories) {
    it(`${checker} notices ${what}`, () => {
      const told = watched();
      tell(told);
      expect(told.complaints[0]).to.equal(checker);
    });
  }

  it('have nothing against elections, conflicts, restarts, snapshots and changes as they should be', () => {
    const told = watched();
    const { one, two } = led(told, 3);
    two.commit(2);
    one.append(entry(3, 1, 'lost'), entry(4, 1, 'lost too'));
    two.role('leader', 2);
    two.append(entry(3, 2, '', 'leaderChange'));
    two.commit(4);
    one.role('follower', 2);
    one.truncate(3);
    one.append(entry(3, 2, '', 'leaderChange'));
    one.commit(4);
    two.append(votersEntry(4, 2, 1, 2, 3, 4));
    two.commit(5);
    two.append(votersEntry(5, 2, 1, 2, 4));
    const three = told.replica(3);
    three.install(2, 5);
    three.append(votersEntry(5, 2, 1, 2, 4));
    three.commit(6);
    const again = told.replica(1, { term: term(2), endOffset: offset(4) }, 2);
    again.role('follower', 2);
    again.append(votersEntry(4, 2, 1, 2, 3, 4));
    told.checks.voteSent(voter(3), term(2), voter(2));
    told.checks.voteSent(voter(3), term(2), voter(2));
    told.checks.voteSent(voter(3), term(3), voter(1));
    told.checks.readAnswered('2', offset(6), offset(6), 2);
    expect(told.complaints).to.deep.equal([]);
    expect(told.checks.committedOffset).to.equal(6);
    expect(told.checks.committedVoters?.map(({ nodeId }) => nodeId)).to.deep.equal([1, 2, 4]);
  });

  it('let the first leader put the first voters into the log at once', () => {
    const told = watched();
    const one = told.replica(1);
    one.role('leader', 1);
    one.append(entry(0, 1, '', 'leaderChange'), votersEntry(1, 1, 1, 2, 3));
    one.commit(2);
    expect(told.complaints).to.deep.equal([]);
  });

  it('let a candidate win late whose term is over', () => {
    const told = watched();
    const { one } = led(told, 1);
    one.role('leader', 5);
    one.append(entry(1, 5));
    one.commit(2);
    const three = told.replica(3);
    three.append(entry(0, 1));
    three.role('leader', 4);
    expect(told.complaints).to.deep.equal([]);
  });
});

class FakeImage implements ImageView {
  readonly offset: number;
  readonly topics: ReadonlyMap<string, TopicView>;
  readonly wrong: readonly string[];

  constructor(at: number, topics: Readonly<Record<string, TopicView>> = {}, wrong: readonly string[] = []) {
    this.offset = at;
    this.topics = new Map(Object.entries(topics));
    this.wrong = wrong;
  }

  topic(name: string): TopicView | undefined {
    return this.topics.get(name);
  }

  topicNames(): Iterable<string> {
    return this.topics.keys();
  }

  digest(): string {
    return JSON.stringify([...this.topics]);
  }

  problems(): readonly string[] {
    return this.wrong;
  }
}

describe('the checkers of images', () => {
  function images() {
    const complaints: CheckerName[] = [];
    const report = (checker: CheckerName): unknown => complaints.push(checker);
    return { complaints, checks: new ImageChecks({ report, committedOffset: () => 10, compareOneIn: 1 }) };
  }
  const topic = { a: { id: '1', value: undefined } };

  it('notice images that differ at one offset, and only then', () => {
    const { complaints, checks } = images();
    const [one, two] = [checks.watch('1'), checks.watch('2')];
    one.changed(new FakeImage(3));
    one.changed(new FakeImage(4, topic));
    two.changed(new FakeImage(4, topic));
    expect(complaints).to.deep.equal([]);
    two.changed(new FakeImage(5, topic));
    one.changed(new FakeImage(5));
    expect(complaints).to.deep.equal(['image-equality']);
  });

  it('notice an image that goes back, and one of what is not committed', () => {
    const { complaints, checks } = images();
    const one = checks.watch('1');
    one.changed(new FakeImage(4));
    one.changed(new FakeImage(3));
    one.changed(new FakeImage(10));
    expect(complaints).to.deep.equal(['state-machine-safety', 'state-machine-safety']);
  });

  it('ask the controller’s own rules', () => {
    const { complaints, checks } = images();
    checks.watch('1').changed(new FakeImage(4, {}, ['it is wrong']));
    expect(complaints).to.deep.equal(['controller-invariants']);
  });
});

describe('the history of the clients', () => {
  function history() {
    const complaints: CheckerName[] = [];
    return { complaints, history: new ClientHistory((checker) => complaints.push(checker)) };
  }
  type History = ReturnType<typeof history>['history'];
  const create = (clients: History, name: string, known: 'acknowledged' | 'refused' | 'unknown'): void => {
    clients.creating(name);
    if (known !== 'unknown')
      clients.created(name, told(known), known === 'acknowledged' ? `id-${name}` : undefined);
  };
  const told = (known: Known): Outcome => ({ known, why: '' });
  const there = (name: string, value?: string) => ({ [name]: { id: `id-${name}`, value } });

  const endings: readonly [string, CheckerName | undefined, (clients: History) => ImageView][] = [
    [
      'an acknowledged topic that is not there',
      'acknowledged-command-lost',
      (clients) => {
        create(clients, 'a', 'acknowledged');
        return new FakeImage(1);
      },
    ],
    [
      'a topic that was made twice',
      'applied-twice',
      (clients) => {
        create(clients, 'a', 'acknowledged');
        return new FakeImage(1, { a: { id: 'another', value: undefined } });
      },
    ],
    [
      'a refused topic that is there',
      'applied-twice',
      (clients) => {
        create(clients, 'a', 'refused');
        return new FakeImage(1, there('a'));
      },
    ],
    ['a topic nobody asked for', 'applied-twice', () => new FakeImage(1, there('a'))],
    [
      'an acknowledged deletion that did not happen',
      'acknowledged-command-lost',
      (clients) => {
        create(clients, 'a', 'acknowledged');
        clients.deleting('a');
        clients.deleted('a', told('acknowledged'));
        return new FakeImage(1, there('a'));
      },
    ],
    [
      'an acknowledged value that is lost',
      'acknowledged-command-lost',
      (clients) => {
        create(clients, 'a', 'acknowledged');
        clients.set(clients.setting('a', '1'), told('acknowledged'));
        clients.set(clients.setting('a', '2'), told('acknowledged'));
        return new FakeImage(1, there('a', '1'));
      },
    ],
    [
      'a refused value that took effect',
      'applied-twice',
      (clients) => {
        create(clients, 'a', 'acknowledged');
        clients.set(clients.setting('a', '1'), told('refused'));
        return new FakeImage(1, there('a', '1'));
      },
    ],
    [
      'nothing: what is not known may be either',
      undefined,
      (clients) => {
        for (const name of ['a', 'b', 'c']) create(clients, name, 'acknowledged');
        for (const name of ['d', 'e']) create(clients, name, 'unknown');
        create(clients, 'f', 'refused');
        clients.deleting('b');
        clients.deleting('c');
        clients.setting('a', '1');
        clients.set(clients.setting('a', '2'), told('acknowledged'));
        return new FakeImage(1, { ...there('a', '1'), ...there('b'), ...there('d') });
      },
    ],
  ];
  for (const [what, checker, tell] of endings) {
    it(`notices ${what}`, () => {
      const { complaints, history: clients } = history();
      clients.check(tell(clients));
      expect(complaints).to.deep.equal(checker === undefined ? [] : [checker]);
    });
  }

  it('notices a read that does not show what was acknowledged before it was asked', () => {
    const { complaints, history: clients } = history();
    create(clients, 'a', 'acknowledged');
    const askedWith = clients.newestAcknowledged;
    clients.read('1', new FakeImage(1, there('a')), askedWith);
    expect(complaints).to.deep.equal([]);
    clients.read('1', new FakeImage(1), askedWith);
    expect(complaints).to.deep.equal(['linearizable-read']);
  });
});
