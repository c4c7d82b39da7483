import { connect as connectHttp2, constants } from 'node:http2';
import { rmSync } from 'node:fs';
import { expect } from 'chai';
import { Client, credentials } from '@grpc/grpc-js';
import type { Timer } from '@tidemark/core';
import { adminService, logService, type FetchResponseOutput } from '@tidemark/rpc';
import { startBroker } from '@tidemark/broker';
import { NodeClock } from '../src/node-clock.ts';
import { batchOf, silent, temporaryFolder, testConfig } from './harness.ts';

const STALLED_MS = 30_000;

/** Timers of that length wait for `expire`. */
class HeldClock extends NodeClock {
  readonly #held = new Set<() => void>();

  override setTimer(delayMs: number, callback: () => void): Timer {
    if (delayMs !== STALLED_MS) return super.setTimer(delayMs, callback);
    this.#held.add(callback);
    return { cancel: () => void this.#held.delete(callback) };
  }

  expire(): void {
    for (const callback of [...this.#held]) {
      this.#held.delete(callback);
      callback();
    }
  }
}

const requests = {
  FetchStream: logService.FetchStream.requestSerialize({ add: [{ topic: 't' }], creditBytes: 2 ** 40 }),
  Fetch: logService.Fetch.requestSerialize({ partitions: [{ topic: 't' }] }),
} as const;

describe('a reader that takes nothing', () => {
  for (const name of ['FetchStream', 'Fetch'] as const) {
    it(`of ${name} gives way after a while to those who wait for the memory it holds`, () => story(name));
  }

  async function story(name: keyof typeof requests): Promise<void> {
    const clock = new HeldClock();
    const folder = temporaryFolder();
    const config = testConfig(folder, {
      'queued.max.response.bytes': '1048576',
      'fetch.max.bytes': '1048576',
    });
    const broker = await startBroker({ config, log: silent, clock });
    const address = `127.0.0.1:${broker.ports.get('CLIENT')}`;
    const client = new Client(address, credentials.createInsecure());
    const call = <I, O>(
      {
        path,
        requestSerialize,
        responseDeserialize,
      }: { path: string; requestSerialize: (each: I) => Buffer; responseDeserialize: (each: Buffer) => O },
      request: I,
    ): Promise<O> =>
      new Promise((resolve, reject) => {
        client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, (error, answer) => {
          if (error) reject(error);
          else resolve(answer!);
        });
      });
    const inFlight = async (): Promise<number> => {
      const page = await fetch(`http://127.0.0.1:${broker.ports.get('HTTP')}/metrics`);
      return Number(/^tidemark_response_bytes_in_flight (\d+)/m.exec(await page.text())?.[1]);
    };
    const session = connectHttp2(`http://${address}`);
    try {
      await call(adminService.CreateTopics, { topics: [{ name: 't', partitionCount: 1 }] });
      const batches = batchOf(['x'.repeat(1_000_000)]);
      for (let at = 0; at < 4; at++) {
        await call(logService.Produce, { partitions: [{ topic: 't', batches }] });
      }
      const stream = session.request({
        ':method': 'POST',
        ':path': logService[name].path,
        'content-type': 'application/grpc',
      });
      const ended = new Promise<number>((resolve) => {
        stream.on('error', () => undefined);
        stream.on('close', () => resolve(stream.rstCode));
      });
      const wanted = requests[name];
      const message = Buffer.alloc(5 + wanted.length);
      message.writeUInt32BE(wanted.length, 1);
      message.set(wanted, 5);
      if (name === 'Fetch') stream.end(message);
      else stream.write(message);
      while ((await inFlight()) < 1_000_000) await new Promise(setImmediate);
      let answer: FetchResponseOutput | undefined;
      const fetching = call(logService.Fetch, { partitions: [{ topic: 't' }] }).then((each) => {
        answer = each;
      });
      while (answer === undefined) {
        clock.expire();
        await new Promise(setImmediate);
      }
      await fetching;
      expect(await ended).to.equal(constants.NGHTTP2_ENHANCE_YOUR_CALM);
    } finally {
      session.destroy();
      client.close();
      await broker.close(0);
      rmSync(folder, { recursive: true, force: true });
    }
  }
});
