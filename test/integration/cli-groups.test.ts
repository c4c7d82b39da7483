// Consumer groups through the command, against a real server: read as a member, look, move, copy, delete.
import { expect } from 'chai';
import { Consumer } from '@tidemark/client';
import { startServer, type CommandResult, type ServerProcess } from './start-server.ts';

describe('tidemark group and consume -g', function () {
  this.timeout(90_000);

  let server: ServerProcess;

  before(async () => {
    server = await startServer({ settings: { 'group.initial.rebalance.delay.ms': '0' } });
    await cli(['topic', 'create', 'orders', '-p', '2']);
    const lines = Array.from({ length: 10 }, (_, at) => `v${at}\n`).join('');
    await cli(['produce', 'orders', '-f', '%v\\n', '-p', '0'], lines);
  });

  after(async () => {
    await server.dispose();
  });

  const cli = (args: readonly string[], input?: string): Promise<CommandResult> => server.cli(args, input);

  async function json<T>(args: readonly string[]): Promise<T> {
    const { code, stdout, stderr } = await cli([...args, '-o', 'json']);
    expect(code, stderr).to.equal(0);
    return JSON.parse(stdout) as T;
  }

  interface Situation {
    readonly state: string;
    readonly totalLag: number;
    readonly partitions: readonly { readonly partition: number; readonly committedOffset: number }[];
  }
  const committed = async (group: string): Promise<number> =>
    (await json<Situation>(['group', 'describe', group])).partitions.find(({ partition }) => partition === 0)!
      .committedOffset;

  it('reads a part, and goes on behind it the next time', async () => {
    const first = await cli(['consume', 'orders', '-g', 'billing', '-n', '4', '-f', '%v ']);
    expect(first).to.include({ code: 0, stdout: 'v0 v1 v2 v3 ' });
    expect(first.stderr).to.match(/generation \d+: orders 0-1/);
    expect(await committed('billing')).to.equal(4);
    const second = await cli(['consume', 'orders', '-g', 'billing', '-e', '-f', '%v ']);
    expect(second).to.include({ code: 0, stdout: 'v4 v5 v6 v7 v8 v9 ' });
    expect(await json<Situation>(['group', 'describe', 'billing'])).to.include({
      state: 'Empty',
      totalLag: 0,
    });
  });

  it('moves a group when told to, and shows what it would do', async () => {
    const planned = await cli(['group', 'seek', 'billing', '--topic', 'orders:0', '--to', '-3']);
    expect(planned.stdout).to.match(/^orders +0 +10 +7 +-3$/m);
    expect(planned.stderr).to.include('add --execute');
    expect(await committed('billing')).to.equal(10);
    expect(
      await cli(['group', 'seek', 'billing', '--topic', 'orders:0', '--to', '-3', '--execute']),
    ).to.include({
      code: 0,
    });
    expect(await committed('billing')).to.equal(7);
    expect(await cli(['group', 'clone', 'billing', 'audit'])).to.include({ code: 0 });
    expect(await committed('audit')).to.equal(7);
    const again = await cli(['group', 'clone', 'billing', 'audit']);
    expect(again).to.include({ code: 1 });
    expect(again.stderr).to.include('tidemark group seek audit --to-group billing');
    const groups = await json<{ readonly groupId: string }[]>(['group', 'list']);
    expect(groups.map(({ groupId }) => groupId)).to.deep.equal(['audit', 'billing']);
    expect((await cli(['group', 'delete', 'audit', '-y'])).stdout).to.include('deleted');
    expect(await cli(['group', 'describe', 'audit'])).to.include({ code: 4 });
  });

  it('leaves a group alone that has members, and says who they are', async () => {
    const consumer = new Consumer({
      brokers: [server.address],
      groupId: 'busy',
      config: { 'client.id': 'till-7', 'auto.offset.reset': 'earliest' },
    });
    try {
      consumer.subscribe(['orders']);
      expect(await consumer.poll({ timeoutMs: 20_000 })).to.have.length(10);
      const seek = await cli(['group', 'seek', 'busy', '--topic', 'orders', '--to', 'end', '--execute']);
      expect(seek).to.include({ code: 1 });
      expect(seek.stderr).to.match(/group busy has members: till-7 \(.*\)/);
      expect(await cli(['group', 'delete', 'busy', '-y'])).to.include({ code: 1 });
      const explained = await cli(['group', 'explain', 'busy']);
      expect(explained.stdout).to.match(/till-7 .* joined: the consumer has subscribed/);
      expect(explained.stdout).to.match(/^till-7 .*\* +10 {2}orders 0-1$/m);
      expect((await cli(['group', 'lag', 'busy'])).stderr).to.include('total lag 10');
    } finally {
      await consumer.close();
    }
  });
});
