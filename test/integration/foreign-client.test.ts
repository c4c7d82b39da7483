// A client that is not ours: `buf curl`, which knows of the server only what reflection tells it.
import { expect } from 'chai';
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { cleanEnvironment, startServer, type ServerProcess } from './start-server.ts';

const BUF = fileURLToPath(new URL('../../node_modules/.bin/buf', import.meta.url));
const run = promisify(execFile);

describe('a client that knows the server by reflection alone', function () {
  this.timeout(60_000);

  let server: ServerProcess;
  before(async () => {
    server = await startServer();
  });
  after(async () => {
    await server.dispose();
  });

  async function curl(...args: string[]): Promise<string> {
    const transport = ['curl', '--protocol', 'grpc', '--http2-prior-knowledge'];
    const { stdout } = await run(BUF, [...transport, ...args], { env: cleanEnvironment() });
    return stdout;
  }

  const call = async (method: string, request: unknown): Promise<unknown> =>
    JSON.parse(await curl('-d', JSON.stringify(request), `http://${server.address}/${method}`));

  const base64 = (text: string): string => Buffer.from(text).toString('base64');

  it('lists the services', async () => {
    expect((await curl('--list-services', `http://${server.address}`)).trim().split('\n')).to.include.members(
      [
        'grpc.health.v1.Health',
        'tidemark.v1.AdminService',
        'tidemark.v1.ClusterService',
        'tidemark.v1.LogService',
      ],
    );
  });

  it('creates a topic, writes plain records and reads them decoded', async () => {
    const created = await call('tidemark.v1.AdminService/CreateTopics', {
      topics: [{ name: 'plain', partitionCount: 2 }],
    });
    expect(created).to.have.nested.property('results[0].partitionCount', 2);
    const records = [
      { key: base64('k'), value: base64('one') },
      { value: base64('two'), headers: [{ key: 'h', value: base64('x') }] },
    ];
    const produced = await call('tidemark.v1.LogService/Produce', {
      partitions: [{ topic: 'plain', partition: 1, records }],
    });
    expect(produced).to.have.nested.property('results[0].onDisk', true);
    const fetched = await call('tidemark.v1.LogService/Fetch', {
      decodeRecords: true,
      partitions: [{ topic: 'plain', partition: 1 }],
    });
    expect(fetched).to.have.nested.property('results[0].highWatermark', '2');
    expect(fetched).to.have.nested.property('results[0].records[0]').that.includes(records[0]);
    expect(fetched).to.have.nested.property('results[0].records[1]').that.deep.includes(records[1]);
  });

  it('is told what is wrong by name', async () => {
    const answer = await call('tidemark.v1.LogService/Fetch', { partitions: [{ topic: 'absent' }] });
    expect(answer).to.have.nested.property('results[0].error.name', 'UNKNOWN_TOPIC_OR_PARTITION');
  });
});
