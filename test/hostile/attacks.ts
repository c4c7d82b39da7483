// What a hostile client does, each attack by itself and for as long as it is told: raw sockets, HTTP/2 and gRPC frames that no library
// of ours would send. All of it from 127.0.0.2, so that it can be told from the healthy client by its address.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectHttp2, type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2';
import { setTimeout as pause } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { adminService, authService, clusterService, logService, peerService } from '@tidemark/rpc';
import { batchOf } from '../../packages/broker/test/harness.ts';

export interface Target {
  readonly host: string;
  readonly port: number;
  /** The listener that asks who calls. */
  readonly saslPort: number;
  /** The nodes' own, over TLS. */
  readonly peerPort: number;
  /** PEM files: a certificate of the cluster's authority, but a client's, and its key. */
  readonly clientCertificate: string;
  readonly clientKey: string;
}

type Timed = (target: Target, untilMs: number) => Promise<void>;
export type Attack = (target: Target, forMs: number) => Promise<void>;

const FROM = '127.0.0.2';
const MIB = 1024 * 1024;
const running = (untilMs: number): boolean => performance.now() < untilMs;
const ignore = (): void => undefined;

function tcp({ host, port }: Target): Socket {
  const socket = connectTcp({ host, port, localAddress: FROM });
  socket.on('error', ignore);
  socket.resume();
  return socket;
}

function http2({ host }: Target, port: number): ClientHttp2Session {
  const session = connectHttp2(`http://${host}:${port}`, {
    createConnection: () => {
      const socket = connectTcp({ host, port, localAddress: FROM });
      socket.on('error', ignore);
      return socket;
    },
  });
  session.on('error', ignore);
  return session;
}

/** A session that is opened anew when the broker has closed it, which is what it should do. */
class Sessions {
  readonly #target: Target;
  readonly #port: number;
  #session: ClientHttp2Session | undefined;

  constructor(target: Target, port: number = target.port) {
    this.#target = target;
    this.#port = port;
  }

  get current(): ClientHttp2Session {
    const known = this.#session;
    if (known !== undefined && !known.destroyed && !known.closed) return known;
    this.#session = http2(this.#target, this.#port);
    return this.#session;
  }

  close(): void {
    this.#session?.destroy();
  }
}

function call(
  session: ClientHttp2Session,
  path: string,
  headers: Record<string, string> = {},
): ClientHttp2Stream {
  const stream = session.request({
    ':method': 'POST',
    ':path': path,
    'content-type': 'application/grpc',
    te: 'trailers',
    ...headers,
  });
  stream.on('error', ignore);
  stream.resume();
  return stream;
}

function frame(message: Buffer, flags = 0, declared = message.length): Buffer {
  const head = Buffer.alloc(5);
  head[0] = flags;
  head.writeUInt32BE(declared, 1);
  return Buffer.concat([head, message]);
}

const closed = (stream: ClientHttp2Stream): Promise<void> =>
  new Promise((resolve) => {
    if (stream.closed || stream.destroyed) resolve();
    stream.once('close', () => resolve());
  });

/** One message after another, so many at a time. */
async function repeat(
  target: Target,
  untilMs: number,
  path: string,
  message: () => Buffer,
  options: { headers?: Record<string, string>; parallel?: number; port?: number } = {},
): Promise<void> {
  const { parallel = 8, port = target.port } = options;
  const sessions = new Sessions(target, port);
  const worker = async (): Promise<void> => {
    while (running(untilMs)) {
      const stream = call(sessions.current, path, options.headers ?? {});
      stream.end(message());
      await Promise.race([closed(stream), pause(2_000)]);
      await pause(1);
    }
  };
  await Promise.all(Array.from({ length: parallel }, worker));
  sessions.close();
}

const serialized = <T>(method: { requestSerialize: (request: T) => Buffer }, request: T): Buffer =>
  frame(method.requestSerialize(request));

// Made beforehand, in no attack's time.
const zeros = Buffer.alloc(256 * MIB);
const framedBomb = frame(gzipSync(zeros), 1);
const batchOfZeros = gzipSync(zeros.subarray(0, 80 * MIB));

const gzipBomb: Timed = (target, untilMs) => {
  return repeat(target, untilMs, logService.Produce.path, () => framedBomb, {
    headers: { 'grpc-encoding': 'gzip' },
    parallel: 4,
  });
};

const batchBomb: Timed = (target, untilMs) => {
  const codecs = { gzip: { compress: () => new Uint8Array(batchOfZeros) } } as never;
  const batches = batchOf(['bomb'], { compression: 'gzip', codecs });
  const message = serialized(logService.Produce, {
    partitions: [{ topic: 'healthy', partition: 0, batches }],
  });
  return repeat(target, untilMs, logService.Produce.path, () => message, { parallel: 4 });
};

const oversize: Timed = (target, untilMs) => {
  const chunk = frame(Buffer.alloc(4 * MIB), 0, 0xffff_ffff);
  return repeat(target, untilMs, logService.Produce.path, () => chunk);
};

const malformedFrames: Timed = (target, untilMs) => {
  let turn = 0;
  const noise = Buffer.from(Array.from({ length: 2_000 }, (_, at) => (at * 7919) & 0xff));
  return repeat(
    target,
    untilMs,
    logService.Produce.path,
    () => {
      turn += 1;
      return [frame(noise, 1), frame(noise, 255), noise, frame(noise, 0, 9), noise.subarray(0, 3)][turn % 5]!;
    },
    { headers: { 'grpc-encoding': 'gzip' } },
  );
};

const declaredCounts: Timed = (target, untilMs) => {
  // 600,000 empty topics, two bytes each.
  const message = frame(Buffer.alloc(1_200_000, Buffer.from([0x0a, 0x00])));
  return repeat(target, untilMs, adminService.CreateTopics.path, () => message);
};

const deepNesting: Timed = (target, untilMs) => {
  // Groups within groups, a byte each, as deep as the request may be long.
  const message = frame(Buffer.alloc(1_000_000, 0x0b));
  return repeat(target, untilMs, clusterService.GetMetadata.path, () => message);
};

const badBatches: Timed = (target, untilMs) => {
  let turn = 0;
  return repeat(target, untilMs, logService.Produce.path, () => {
    const batches = batchOf(['some', 'records', 'x'.repeat(10_000)]);
    turn += 1;
    if (turn % 3 === 0) batches[70]! ^= 1;
    else if (turn % 3 === 1) batches.writeInt32BE(2 ** 30, 8);
    else batches.writeInt32BE(2 ** 31 - 1, 57);
    return serialized(logService.Produce, { partitions: [{ topic: 'healthy', partition: 0, batches }] });
  });
};

const paths: Timed = (target, untilMs) => {
  const topics = ['../../etc', '..', '.', 'a/b', 'a\0b', '%2e%2e'].map((name) => ({
    name,
    partitionCount: 1,
  }));
  const message = serialized(adminService.CreateTopics, { topics });
  return repeat(target, untilMs, adminService.CreateTopics.path, () => message);
};

const topicExplosion: Timed = (target, untilMs) => {
  let turn = 0;
  return repeat(target, untilMs, adminService.CreateTopics.path, () => {
    turn += 1;
    return serialized(adminService.CreateTopics, { topics: [{ name: `boom-${turn}`, partitionCount: 100 }] });
  });
};

const rapidReset: Timed = async (target, untilMs) => {
  const sessions = new Sessions(target);
  while (running(untilMs)) {
    for (let at = 0; at < 100; at++) call(sessions.current, logService.Fetch.path).close(8);
    await pause(1);
  }
  sessions.close();
};

const halfOpenStreams: Timed = async (target, untilMs) => {
  const sessions = Array.from({ length: 10 }, () => http2(target, target.port));
  for (let opened = 0; opened < 1_000 && running(untilMs); opened += 100) {
    for (const session of sessions) {
      for (let at = 0; at < 100 && !session.destroyed; at++) call(session, logService.ProduceStream.path);
      await pause(1);
    }
  }
  while (running(untilMs)) await pause(50);
  for (const session of sessions) session.destroy();
};

const controlFrames: Timed = async (target, untilMs) => {
  const sessions = new Sessions(target);
  while (running(untilMs)) {
    const session = sessions.current;
    if (session.connecting) await pause(1);
    else {
      for (let at = 0; at < 50 && !session.destroyed; at++) {
        session.ping(ignore);
        session.settings({ initialWindowSize: 65_535 + at });
      }
    }
    await pause(1);
  }
  sessions.close();
};

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
const frameHead = (length: number, type: number, flags: number, stream: number): Buffer => {
  const head = Buffer.alloc(9);
  head.writeUIntBE(length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return head;
};

const continuationFlood: Timed = async (target, untilMs) => {
  const piece = Buffer.alloc(16_000, 0x40);
  while (running(untilMs)) {
    const socket = tcp(target);
    socket.write(PREFACE);
    socket.write(frameHead(0, 4, 0, 0));
    socket.write(Buffer.concat([frameHead(1, 1, 0, 1), Buffer.from([0x82])]));
    for (let at = 0; at < 200 && !socket.destroyed; at++) {
      socket.write(Buffer.concat([frameHead(piece.length, 9, 0, 1), piece]));
      await pause(0);
    }
    socket.destroy();
  }
};

const silentSockets: Timed = async (target, untilMs) => {
  const sockets: Socket[] = [];
  while (running(untilMs)) {
    while (sockets.length < 2_000) sockets.push(tcp(target));
    await pause(50);
    for (let at = 0; at < sockets.length; at++) if (sockets[at]!.destroyed) sockets[at] = tcp(target);
  }
  for (const socket of sockets) socket.destroy();
};

const slowLoris: Timed = async (target, untilMs) => {
  const session = http2(target, target.port);
  const open = (): ClientHttp2Stream => {
    const stream = call(session, logService.Produce.path);
    stream.write(frame(Buffer.alloc(1), 0, 1_000_000));
    return stream;
  };
  const streams = Array.from({ length: 500 }, open);
  while (running(untilMs)) {
    for (const stream of streams) if (!stream.destroyed) stream.write(Buffer.alloc(1));
    await pause(100);
  }
  session.destroy();
};

const slowReader: Timed = async (target, untilMs) => {
  const sessions = Array.from({ length: 5 }, () => http2(target, target.port));
  const message = serialized(logService.FetchStream, {
    add: [{ topic: 'backlog', partition: 0 }],
    creditBytes: 2 ** 40,
  });
  for (const session of sessions) {
    for (let at = 0; at < 20; at++) {
      const stream = call(session, logService.FetchStream.path);
      stream.pause();
      stream.write(message);
    }
  }
  while (running(untilMs)) await pause(50);
  for (const session of sessions) session.destroy();
};

const hugeFetch: Timed = (target, untilMs) => {
  const partitions = [{ topic: 'backlog', partition: 0, fetchOffset: 0, partitionMaxBytes: 2 ** 31 - 1 }];
  const message = serialized(logService.Fetch, { maxBytes: 2 ** 31 - 1, partitions });
  return repeat(target, untilMs, logService.Fetch.path, () => message, { parallel: 16 });
};

/** Messages of which most is sent and the end never is: what has come of them is the broker's to hold, or to give up. */
const halfMessages: Timed = async (target, untilMs) => {
  const most = frame(Buffer.alloc(6 * MIB), 0, 12 * MIB);
  const sessions = Array.from({ length: 8 }, () => new Sessions(target));
  const worker = async (at: number): Promise<void> => {
    while (running(untilMs)) {
      const stream = call(sessions[at % sessions.length]!.current, logService.ProduceStream.path);
      stream.write(most);
      await Promise.race([closed(stream), pause(Math.max(0, untilMs - performance.now()))]);
      await pause(1);
    }
  };
  await Promise.all(Array.from({ length: 200 }, (_, at) => worker(at)));
  for (const session of sessions) session.close();
};

/** One message in frames of a byte each: on the way ten bytes a byte, and whatever it takes to remember a piece once it is here. */
const crumbs: Timed = async (target, untilMs) => {
  // HEADERS of POST /tidemark.v1.LogService/ProduceStream: two indexed fields, and three with names of the static table.
  const literal = (index: number[], value: string): Buffer =>
    Buffer.concat([Buffer.from(index), Buffer.from([value.length]), Buffer.from(value)]);
  const headers = Buffer.concat([
    Buffer.from([0x83, 0x86]),
    literal([0x04], logService.ProduceStream.path),
    literal([0x01], 'broker'),
    literal([0x0f, 0x10], 'application/grpc'),
  ]);
  const crumb = Buffer.concat([frameHead(1, 0, 0, 1), Buffer.from([0])]);
  const many = Buffer.concat(Array.from({ length: 2_000 }, () => crumb));
  const worker = async (): Promise<void> => {
    while (running(untilMs)) {
      const socket = tcp(target);
      const declared = frame(Buffer.alloc(0), 0, 12 * MIB);
      socket.write(
        Buffer.concat([PREFACE, frameHead(0, 4, 0, 0), frameHead(headers.length, 1, 4, 1), headers]),
      );
      socket.write(Buffer.concat([frameHead(declared.length, 0, 0, 1), declared]));
      while (running(untilMs) && !socket.destroyed) {
        if (socket.writableLength <= MIB) socket.write(many);
        await pause(socket.writableLength > MIB ? 1 : 0);
      }
      socket.destroy();
    }
  };
  await Promise.all(Array.from({ length: 4 }, worker));
};

/** Whole requests, large and at once, more than may be in flight together: they wait, and somebody has to hold them. */
const crowd: Timed = (target, untilMs) => {
  const batches = Buffer.alloc(12 * MIB, 1);
  const message = serialized(logService.Produce, {
    partitions: [{ topic: 'healthy', partition: 0, batches }],
  });
  return repeat(target, untilMs, logService.Produce.path, () => message, { parallel: 64 });
};

/** Fetches that name fifty thousand partitions each: a megabyte on the way, fifty here, and an answer for each of them. */
const fatFetches: Timed = async (target, untilMs) => {
  const partitions = Array.from({ length: 50_000 }, () => ({
    topic: 'quiet',
    partition: 0,
    partitionMaxBytes: 1,
  }));
  const message = serialized(logService.Fetch, { maxWaitMs: 300_000, minBytes: 1, partitions });
  const sessions = new Sessions(target);
  const worker = async (): Promise<void> => {
    while (running(untilMs)) {
      const stream = call(sessions.current, logService.Fetch.path);
      stream.end(message);
      await Promise.race([closed(stream), pause(Math.max(0, untilMs - performance.now()))]);
      await pause(1);
    }
  };
  await Promise.all(Array.from({ length: 60 }, worker));
  sessions.close();
};

/** Small records, asked for decoded: each of them an object. */
const decodedFetch: Timed = async (target, untilMs) => {
  const small = batchOf(Array.from({ length: 50_000 }, () => 'x'));
  const written = serialized(logService.Produce, {
    partitions: [{ topic: 'small', partition: 0, batches: small }],
  });
  const filling = http2(target, target.port);
  for (let at = 0; at < 24 && running(untilMs); at++) {
    const stream = call(filling, logService.Produce.path);
    stream.end(written);
    await Promise.race([closed(stream), pause(2_000)]);
  }
  filling.destroy();
  const partitions = [{ topic: 'small', partition: 0, partitionMaxBytes: 2 ** 31 - 1 }];
  const message = serialized(logService.Fetch, { maxBytes: 2 ** 31 - 1, decodeRecords: true, partitions });
  await repeat(target, untilMs, logService.Fetch.path, () => message);
};

const connectionChurn: Timed = async (target, untilMs) => {
  while (running(untilMs)) {
    const sockets = Array.from({ length: 50 }, () => tcp(target));
    for (const socket of sockets) socket.write(PREFACE);
    await pause(10);
    for (const socket of sockets) socket.resetAndDestroy();
  }
};

/** The answer of a call with one message each way; undefined when there is none. */
function ask<I, O>(
  session: ClientHttp2Session,
  method: {
    path: string;
    requestSerialize: (request: I) => Buffer;
    responseDeserialize: (bytes: Buffer) => O;
  },
  request: I,
): Promise<O | undefined> {
  const stream = call(session, method.path);
  const parts: Buffer[] = [];
  stream.on('data', (part: Buffer) => parts.push(part));
  stream.end(frame(method.requestSerialize(request)));
  return Promise.race([closed(stream), pause(2_000)]).then(() => {
    const answer = Buffer.concat(parts);
    return answer.length < 5 ? undefined : method.responseDeserialize(answer.subarray(5));
  });
}

/** Whole exchanges with proofs that are made up, for one user who is there and others who are not. */
const passwordGuessing: Timed = async (target, untilMs) => {
  const sessions = new Sessions(target, target.saslPort);
  let turn = 0;
  const worker = async (): Promise<void> => {
    while (running(untilMs)) {
      turn += 1;
      const user = turn % 2 === 0 ? 'admin' : `nobody-${turn}`;
      const begun = await ask(sessions.current, authService.StartAuthentication, {
        mechanism: 'SCRAM-SHA-256',
        clientFirst: Buffer.from(`n,,n=${user},r=abcdefghijklmnop`),
      });
      const nonce = /r=([^,]+)/.exec(begun?.serverFirst.toString() ?? '')?.[1] ?? '';
      const proof = Buffer.alloc(32, turn).toString('base64');
      const done = await ask(sessions.current, authService.FinishAuthentication, {
        exchangeId: begun?.exchangeId ?? '',
        clientFinal: Buffer.from(`c=biws,r=${nonce},p=${proof}`),
      });
      if (done !== undefined && done.token !== '') throw new Error('a made-up proof was taken');
    }
  };
  await Promise.all(Array.from({ length: 32 }, worker));
  sessions.close();
};

/** Administration without a name, or with tokens that are made up. */
const unauthenticatedAdmin: Timed = (target, untilMs) => {
  const topics = [{ name: 'stolen', partitionCount: 1 }];
  const message = serialized(adminService.CreateTopics, { topics });
  let turn = 0;
  return repeat(target, untilMs, adminService.CreateTopics.path, () => message, {
    port: target.saslPort,
    parallel: 32,
    get headers() {
      turn += 1;
      return { authorization: `Bearer ${Buffer.alloc(32, turn).toString('base64url')}` };
    },
  });
};

/** A client's certificate, none at all, or no TLS, on the listener for nodes; and a node's words on the listener for clients. */
const posingAsNode: Timed = async (target, untilMs) => {
  const { host, peerPort } = target;
  const message = serialized(peerService.Send, { from: 2, to: 1, payload: Buffer.alloc(1_000) });
  const cert = readFileSync(target.clientCertificate);
  const key = readFileSync(target.clientKey);
  const overTls = async (shown: { cert?: Buffer; key?: Buffer }): Promise<void> => {
    while (running(untilMs)) {
      const session = connectHttp2(`https://${host}:${peerPort}`, { ...shown, rejectUnauthorized: false });
      session.on('error', ignore);
      await Promise.race([once(session, 'connect').catch(ignore), pause(1_000)]);
      for (let at = 0; at < 20 && !session.destroyed && running(untilMs); at++) {
        const stream = call(session, peerService.Send.path);
        stream.end(message);
        await Promise.race([closed(stream), pause(1_000)]);
      }
      session.destroy();
    }
  };
  const plain = repeat({ ...target, port: peerPort }, untilMs, peerService.Send.path, () => message);
  const elsewhere = repeat(target, untilMs, peerService.Send.path, () => message, { parallel: 2 });
  await Promise.all([overTls({ cert, key }), overTls({ cert, key }), overTls({}), plain, elsewhere]);
};

const timed: Readonly<Record<string, Timed>> = {
  'gzip-bomb': gzipBomb,
  'batch-bomb': batchBomb,
  oversize,
  'half-messages': halfMessages,
  crumbs,
  crowd,
  'malformed-frames': malformedFrames,
  'declared-counts': declaredCounts,
  'deep-nesting': deepNesting,
  'bad-batches': badBatches,
  'paths-as-names': paths,
  'topic-explosion': topicExplosion,
  'rapid-reset': rapidReset,
  'half-open-streams': halfOpenStreams,
  'control-frames': controlFrames,
  'continuation-flood': continuationFlood,
  'silent-sockets': silentSockets,
  'slow-loris': slowLoris,
  'slow-reader': slowReader,
  'huge-fetch': hugeFetch,
  'decoded-fetch': decodedFetch,
  'fat-fetches': fatFetches,
  'connection-churn': connectionChurn,
  'password-guessing': passwordGuessing,
  'unauthenticated-admin': unauthenticatedAdmin,
  'posing-as-node': posingAsNode,
};

/**
 * By the rows of threats: sizes, frames, HTTP/2, counts, batches, names, changes, readers, connections, passwords, administration,
 * nodes.
 */
export const attacks: Readonly<Record<string, Attack>> = Object.fromEntries(
  Object.entries(timed).map(([name, attack]) => [
    name,
    (target: Target, forMs: number) => attack(target, performance.now() + forMs),
  ]),
);
