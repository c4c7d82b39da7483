// Receipts over a failover, by the command: what three nodes acknowledged while one of them was killed is verified afterwards; then what
// is planted is found.
import { expect } from 'chai';
import { readFile, writeFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Cluster, eventually, HASTY } from './cluster.ts';
import { startCommand } from './start-server.ts';

const RECORDS = 40_000;

interface Line {
  baseOffset: number;
  count: number;
  partition: number;
  leaderEpoch: number;
  checksums: string;
}

interface Document {
  readonly findings: readonly {
    readonly verdict: string;
    readonly offset: number;
    readonly partition: number;
    readonly count: number;
    readonly movedTo?: number;
  }[];
  readonly summary: {
    readonly ok: boolean;
    readonly receipts: number;
    readonly records: Record<string, number>;
  };
}

describe('tidemark produce --receipts and tidemark verify', function () {
  this.timeout(120_000);

  let cluster: Cluster;
  let folder: string;
  let receipts: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tidemark-receipts-'));
    receipts = join(folder, 'receipts.jsonl');
    cluster = await Cluster.start({ nodes: [{ id: 1 }, { id: 2 }, { id: 3 }], settings: HASTY });
    const created = await cluster.cli(['topic', 'create', 'orders', '-p', '3', '-r', '3']);
    expect(created.code, created.stderr).to.equal(0);
  });

  afterEach(function () {
    if (this.currentTest?.state === 'failed') process.stderr.write(cluster.stderr);
  });

  after(async () => {
    await cluster.dispose();
    await rm(folder, { recursive: true, force: true });
  });

  const verify = async (path: string): Promise<{ code: number | null; document: Document }> => {
    const { code, stdout, stderr } = await cluster.cli(['verify', '--receipts', path, '-o', 'json']);
    expect(stderr).to.equal('');
    return { code, document: JSON.parse(stdout) as Document };
  };
  const linesOf = async (): Promise<Line[]> =>
    (await readFile(receipts, 'utf8'))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Line);

  it('finds everything that was acknowledged after the leader was killed half-way', async () => {
    const half = (from: number): string =>
      Array.from({ length: RECORDS / 2 }, (_, at) => `key-${(from + at) % 100}\torder ${from + at}\n`).join(
        '',
      );
    const producing = startCommand(
      [
        ...['produce', 'orders', '-f', '%k\\t%v\\n', '--receipts', receipts],
        ...['--brokers', cluster.addresses().join(',')],
      ],
      { interactive: true },
    );
    const stdin = producing.process.stdin!;
    stdin.write(half(0));
    // Of the partition whose leader is killed: others may be acknowledged earlier.
    await eventually(
      'the first receipt of partition 0',
      20_000,
      async () => /"partition":0[,}]/.test(await readFile(receipts, 'utf8')) || undefined,
    );
    const [topic] = await cluster.admin().describeTopics(['orders']);
    const victim = cluster.node(topic!.partitions[0]!.leaderId);
    await victim.server.kill();
    stdin.end(half(RECORDS / 2));
    const produced = await producing.result;
    expect(produced.code, produced.stderr).to.equal(0);

    const { code, document } = await verify(receipts);
    expect(document.findings).to.deep.equal([]);
    expect(document.summary).to.deep.include({ ok: true, receipts: (await linesOf()).length });
    expect(document.summary.records).to.deep.equal({
      ...{ ok: RECORDS, lost: 0, moved: 0, changed: 0, expired: 0, unplaced: 0 },
    });
    expect(code).to.equal(0);
    // Acknowledged under the old leader and under the new one.
    const epochs = new Set(
      (await linesOf()).filter(({ partition }) => partition === 0).map(({ leaderEpoch }) => leaderEpoch),
    );
    expect(epochs.size).to.be.above(1);
    await victim.start();
  });

  it('tells what is lost, moved and changed, and ends with 1', async () => {
    const lines = await linesOf();
    const [lost, moved, changed] = [lines[3]!, lines[10]!, lines[20]!];
    lost.baseOffset += 10_000_000;
    moved.baseOffset += 5;
    changed.checksums = `00000000${changed.checksums.slice(8)}`;
    const planted = join(folder, 'planted.jsonl');
    await writeFile(planted, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
    const { code, document } = await verify(planted);
    expect(code).to.equal(1);
    const { ok, records } = document.summary;
    expect(ok).to.equal(false);
    expect(records).to.include({ lost: lost.count, changed: 1, expired: 0 });
    // Where the receipt that was moved overlaps the next, both claim the offsets; the content is looked for around them.
    expect(records['moved']).to.equal(moved.count);
    const of = (verdict: string) => document.findings.filter((finding) => finding.verdict === verdict);
    expect(of('lost')).to.have.length(1);
    expect(of('changed')[0]).to.include({ offset: changed.baseOffset, partition: changed.partition });
    expect(of('moved')[0]).to.include({ offset: moved.baseOffset, movedTo: moved.baseOffset - 5 });
  });

  it('does not take what retention or a deletion took for a loss', async () => {
    const [first] = (await linesOf()).filter(({ partition }) => partition === 1);
    const admin = cluster.admin();
    await admin.deleteRecords([{ topic: 'orders', partition: 1, beforeOffset: 100 }]);
    const { code, document } = await verify(receipts);
    expect(first!.baseOffset).to.equal(0);
    expect(document.summary.records).to.include({ expired: 100, ok: RECORDS - 100, lost: 0 });
    expect(code).to.equal(0);
  });
});
