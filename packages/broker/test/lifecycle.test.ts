import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { status, type ServiceError } from '@grpc/grpc-js';
import { DiskError, type Disk } from '@tidemark/core';
import { NodeDisk, startBroker, StartupError } from '@tidemark/broker';
import { healthService, logService } from '@tidemark/rpc';
import { batchOf, silent, temporaryFolder, testConfig, TestBroker } from './harness.ts';

const refusalOf = async (
  folder: string,
  settings: Readonly<Record<string, string>> = {},
): Promise<string> => {
  try {
    const broker = await startBroker({ config: testConfig(folder, settings), log: silent });
    await broker.close(0);
  } catch (error) {
    if (error instanceof StartupError) return error.message;
    throw error;
  }
  return 'it started';
};

describe('a broker’s life', () => {
  it('keeps topics, records and configs over a clean restart, with its ids', async () => {
    const first = await TestBroker.start();
    const { topicId } = await first.createTopic('kept', 2, { 'retention.ms': '12345' });
    await first.produce({ topic: 'kept', partition: 1, batches: batchOf(['a', 'b']) });
    const { clusterId } = first.broker;
    const { leaderEpoch } = await first.fetch({ topic: 'kept', partition: 1 });
    await first.stop(true);
    const second = await TestBroker.start({}, first.folder);
    try {
      expect(second.broker.clusterId).to.equal(clusterId);
      const fetched = await second.fetch({ topicId, partition: 1 });
      expect(fetched).to.deep.include({ error: null, highWatermark: 2 });
      // A new incarnation leads in a new epoch.
      expect(fetched.leaderEpoch).to.be.above(leaderEpoch);
      const receipt = await second.produce({ topic: 'kept', partition: 1, batches: batchOf(['c']) });
      expect(receipt.baseOffset).to.equal(2);
      expect((await second.fetch({ topic: 'kept' }, {})).error).to.equal(null);
      const stale = await second.fetch({ topic: 'kept', partition: 1, currentLeaderEpoch: leaderEpoch });
      expect(stale.error?.name).to.equal('FENCED_LEADER_EPOCH');
      expect(stale.currentLeader?.leaderId).to.equal(1);
    } finally {
      await second.stop();
    }
  });

  it('refuses a port that is in use, and touches nothing', async () => {
    const running = await TestBroker.start();
    const folder = temporaryFolder();
    try {
      const line = await refusalOf(join(folder, 'data'), {
        listeners: `CLIENT://127.0.0.1:${running.port},HTTP://127.0.0.1:0`,
      });
      expect(line).to.match(/CLIENT 127\.0\.0\.1:\d+: the port is in use; stop the process that has it/);
      expect(existsSync(join(folder, 'data'))).to.equal(false);
    } finally {
      await running.stop();
      rmSync(folder, { recursive: true });
    }
  });

  it('refuses a folder that another broker has open', async () => {
    const running = await TestBroker.start();
    try {
      expect(await refusalOf(running.folder)).to.contain('is in use by another process');
      // And the one that has it does not notice.
      expect((await running.createTopic('still')).error).to.equal(null);
    } finally {
      await running.stop();
    }
  });

  it('refuses a folder of another node, of another cluster, or without its metadata', async () => {
    const first = await TestBroker.start();
    await first.createTopic('data');
    await first.stop(true);
    try {
      const before = readFileSync(join(first.folder, 'meta.properties'), 'utf8');
      expect(await refusalOf(first.folder, { 'node.id': '7' })).to.match(
        /node\.id is 7, but .* belongs to node 1/,
      );
      expect(await refusalOf(first.folder, { 'cluster.id': 'x' })).to.match(
        /cluster\.id is x, but .* belongs to/,
      );
      rmSync(join(first.folder, '__cluster_metadata-0'), { recursive: true });
      expect(await refusalOf(first.folder)).to.contain('holds partitions (data-0');
      expect(readFileSync(join(first.folder, 'meta.properties'), 'utf8')).to.equal(before);
      expect(readdirSync(first.folder)).to.include('data-0');
    } finally {
      rmSync(first.folder, { recursive: true });
    }
  });

  it('is another replica when its folder was emptied but for its identity', async () => {
    const first = await TestBroker.start();
    const { clusterId } = first.broker;
    const identity = (): string => readFileSync(join(first.folder, 'meta.properties'), 'utf8');
    const before = identity();
    await first.stop(true);
    for (const name of readdirSync(first.folder)) {
      if (name !== 'meta.properties') rmSync(join(first.folder, name), { recursive: true });
    }
    const second = await TestBroker.start({}, first.folder);
    try {
      expect(second.broker.clusterId).to.equal(clusterId);
      const ids = [before, identity()].map((text) => /^directory\.id=(.+)$/m.exec(text)![1]);
      expect(ids[0]).to.not.equal(ids[1]);
    } finally {
      await second.stop();
    }
  });

  it('removes what a topic deleted before a crash left behind', async () => {
    const first = await TestBroker.start();
    await first.createTopic('live');
    await first.stop(true);
    const { mkdirSync } = await import('node:fs');
    mkdirSync(join(first.folder, 'dead-0'));
    const second = await TestBroker.start({}, first.folder);
    try {
      const names = readdirSync(first.folder);
      expect(names).to.include('live-0');
      expect(names).to.not.include('dead-0');
    } finally {
      await second.stop();
    }
  });

  it('answers what is under way when it is told to stop, and ends streams', async () => {
    const running = await TestBroker.start();
    await running.createTopic('t');
    const poll = running.fetch({ topic: 't' }, { maxWaitMs: 60_000, minBytes: 1 });
    const stream = running.produceStream();
    stream.send({ correlationId: 1, request: { partitions: [{ topic: 't', batches: batchOf(['x']) }] } });
    expect((await stream.next())?.correlationId).to.equal(1);
    const pushes = running.fetchStream();
    pushes.send({ add: [{ topic: 't' }], creditBytes: 1 });
    expect((await pushes.next())?.results).to.have.length(1);
    await poll;
    const waiting = running.fetch({ topic: 't', fetchOffset: 1 }, { maxWaitMs: 60_000, minBytes: 1 });
    const codeOf = (call: Promise<unknown>): Promise<number> =>
      call.then(
        () => status.OK,
        (error: unknown) => (error as ServiceError).code,
      );
    const ends = Promise.all([codeOf(stream.next()), codeOf(pushes.next())]);
    // So that the poll is on the server before the end begins.
    await running.produce({ topic: 't', batches: batchOf(['y']) }, { acks: 'ACKS_ALL' });
    await waiting;
    const last = running.fetch({ topic: 't', fetchOffset: 2 }, { maxWaitMs: 60_000, minBytes: 1 });
    await running.call(logService.ListOffsets, { partitions: [{ topic: 't', timestampMs: -1 }] });
    await running.broker.close(5_000);
    expect(await ends).to.deep.equal([status.UNAVAILABLE, status.UNAVAILABLE]);
    expect((await last).error?.retriable).to.equal(true);
    await running.stop();
  });

  it('takes nothing more after an fsync that failed, tells its owner, and keeps what was acknowledged', async () => {
    const folder = temporaryFolder();
    let failing = false;
    const failingDisk = (root: string): Disk => {
      const disk = new NodeDisk(root);
      return new Proxy(disk, {
        get: (target, name) => {
          if (name === 'open') {
            return async (path: string, mode: 'read' | 'write' | 'create') => {
              const file = await target.open(path, mode);
              const sync = file.sync.bind(file);
              file.sync = () => (failing ? Promise.reject(new DiskError('EIO', path, 'sync')) : sync());
              return file;
            };
          }
          const value: unknown = Reflect.get(target, name);
          return typeof value === 'function' ? (value.bind(target) as unknown) : value;
        },
      });
    };
    const running = await TestBroker.start({}, folder, failingDisk);
    await running.createTopic('t');
    await running.produce({ topic: 't', batches: batchOf(['kept']) });
    failing = true;
    const lost = await running.produce({ topic: 't', batches: batchOf(['lost']) });
    expect(lost.error?.name).to.equal('KAFKA_STORAGE_ERROR');
    expect(await running.broker.failed).to.be.instanceOf(DiskError);
    const refused = await running.produce({ topic: 't', batches: batchOf(['refused']) });
    expect(refused.error?.name).to.equal('KAFKA_STORAGE_ERROR');
    await running.stop(true);
    expect(readdirSync(folder)).to.not.include('.clean-shutdown');
    const second = await TestBroker.start({}, folder);
    try {
      expect((await second.fetch({ topic: 't' })).highWatermark).to.be.at.least(1);
    } finally {
      await second.stop();
    }
  });

  it('says that it is ready, by HTTP and by gRPC, and shows its metrics', async () => {
    const running = await TestBroker.start();
    try {
      await running.createTopic('seen', 2);
      await running.produce({ topic: 'seen', batches: batchOf(['x']) });
      const http = `http://127.0.0.1:${running.broker.ports.get('HTTP')}`;
      expect((await globalThis.fetch(`${http}/healthz`)).status).to.equal(200);
      const ready = await globalThis.fetch(`${http}/readyz`);
      expect([ready.status, await ready.json()]).to.deep.equal([200, { status: 'ready' }]);
      expect((await globalThis.fetch(`${http}/other`)).status).to.equal(404);
      expect((await globalThis.fetch(`${http}/readyz`, { method: 'POST' })).status).to.equal(405);
      const metrics = await (await globalThis.fetch(`${http}/metrics`)).text();
      expect(metrics).to.contain('kafka_topic_partitions{topic="seen"} 2');
      expect(metrics).to.contain('kafka_topic_partition_current_offset{topic="seen",partition="0"} 1');
      expect(metrics).to.match(/tidemark_request_latency_seconds_count\{rpc="Produce"\} 1/);
      for (const service of ['', 'tidemark.v1.LogService']) {
        expect(await running.call(healthService.Check, { service })).to.deep.equal({ status: 'SERVING' });
      }
    } finally {
      await running.stop();
    }
  });
});

describe('the server process', function () {
  this.timeout(60_000);
  const source = [
    "import { runServer } from '@tidemark/broker';",
    'process.exitCode = await runServer({ flags: JSON.parse(process.argv.at(-1)), announce: true });',
  ].join('\n');
  const serve = (flags: Readonly<Record<string, string>>): ChildProcess =>
    spawn(
      process.execPath,
      [
        '--import',
        'tsx',
        '--conditions=@tidemark/source',
        '--input-type=module',
        '-e',
        source,
        JSON.stringify(flags),
      ],
      { cwd: import.meta.dirname, stdio: ['ignore', 'pipe', 'pipe'] },
    );
  const read = async (stream: NodeJS.ReadableStream | null): Promise<string> => {
    const chunks: string[] = [];
    for await (const chunk of stream!) chunks.push(String(chunk));
    return chunks.join('');
  };

  it('announces its ports, and leaves a clean folder and 0 at SIGTERM', async () => {
    const folder = temporaryFolder();
    const child = serve({ 'log.dirs': folder, listeners: 'CLIENT://127.0.0.1:0,HTTP://127.0.0.1:0' });
    try {
      const [line] = (await once(child.stdout!, 'data')) as [Buffer];
      const ready = JSON.parse(line.toString()) as {
        ready: boolean;
        nodeId: number;
        addresses: Record<string, string>;
      };
      expect(ready).to.deep.include({ ready: true, nodeId: 1 });
      expect(ready.addresses['CLIENT']).to.match(/^127\.0\.0\.1:\d+$/);
      child.kill('SIGTERM');
      const [code] = (await once(child, 'exit')) as [number];
      expect(code).to.equal(0);
      expect(readdirSync(folder)).to.include('.clean-shutdown');
    } finally {
      child.kill('SIGKILL');
      rmSync(folder, { recursive: true });
    }
  });

  it('refuses a bad configuration with one line that says what to do, and 1', async () => {
    const child = serve({ 'log.retention.msec': '5' });
    const [stderr, [code]] = await Promise.all([
      read(child.stderr),
      once(child, 'exit') as Promise<[number]>,
    ]);
    expect(code).to.equal(1);
    expect(stderr.trim().split('\n')).to.have.length(1);
    expect(stderr).to.contain('Did you mean log.retention.ms?');
  });
});
