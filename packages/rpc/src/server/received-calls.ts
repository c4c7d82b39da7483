// Counts what every call of a listener has received against the node's memory for it. grpc-js has no place for that: what it assembles
// and inflates is in its private parts, so those two are replaced here, at the beginning of each call. Contract: nothing that has
// come is uncounted until a handler has it, which of a single message is at the end behind it; a call that is given up ends with RESOURCE_EXHAUSTED, which clients try again.

import { status, type ServerInterceptingCall, type ServerInterceptor } from '@grpc/grpc-js';
import { invariant } from '@tidemark/core';
import { constants } from 'node:http2';
import { createGunzip, createInflate } from 'node:zlib';
import { logService } from '../definitions.ts';
import { MessageAssembler, PREFIX_BYTES } from './message-assembler.ts';
import type { Received, ReceiveMemory } from './receive-memory.ts';

/**
 * A request other than a produce becomes objects, many times its size, that stay until the call ends: ten thousand names of partitions
 * in a long poll are half a megabyte on the way and five here. Requests of the usual size are not worth counting.
 */
const OBJECTS_FACTOR = 10;
const USUAL_REQUEST_BYTES = 64 * 1024;

interface Listener {
  onReceiveMetadata(metadata: unknown): void;
  onReceiveMessage(message: unknown): void;
  onReceiveHalfClose(): void;
  onCancel(): void;
}

/** Of `BaseServerInterceptingCall` of grpc-js what is used and replaced here. */
interface BaseCall {
  decoder: { write(data: Buffer): Buffer[] };
  decompressMessage(message: Buffer, encoding: string): Buffer | Promise<Buffer>;
  start(listener: Listener): void;
  sendStatus(status: { code: status; details: string; metadata: null }): void;
  readonly stream: {
    readonly session?: {
      readonly socket?: { readonly remoteAddress?: string };
      destroy(error: undefined, code: number): void;
    };
    once(event: 'close', listener: () => void): unknown;
  };
}

export function receivedCalls(memory: ReceiveMemory, maxRequestBytes: number): ServerInterceptor {
  return (method, intercepted) => {
    const call = intercepted as unknown as BaseCall;
    invariant(
      typeof call.decoder.write === 'function' && typeof call.decompressMessage === 'function',
      'grpc-js assembles and inflates messages in a call',
    );
    const keeps = !method.requestStream && method.path !== logService.Produce.path;
    new ReceivedCall(call, { memory, maxBytes: maxRequestBytes, isSingle: !method.requestStream, keeps });
    // Not a wrapper: messages of streams are the hot path. grpc-js asks for the class, and uses what the interface has.
    // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment -- as above
    return intercepted as ServerInterceptingCall;
  };
}

interface ReceivedCallOptions {
  readonly memory: ReceiveMemory;
  readonly maxBytes: number;
  /** One message, which no handler has before the end behind it has come. */
  readonly isSingle: boolean;
  /** Whether what a message becomes stays until the call ends. */
  readonly keeps: boolean;
}

class ReceivedCall implements Received {
  readonly address: string;
  readonly connection: object;
  readonly #call: BaseCall;
  readonly #memory: ReceiveMemory;
  readonly #assembler: MessageAssembler;
  readonly #options: ReceivedCallOptions;
  /** The messages that are whole and not with the handler, in order; inflated ones with both sizes. */
  readonly #whole: { bytes: number }[] = [];
  /** Of the single message that grpc-js keeps until the end behind it has come. */
  #unendedBytes = 0;
  /** One for each message that is being inflated: those of one frame are at the same time. */
  readonly #stopInflating = new Set<() => void>();
  #over = false;

  constructor(call: BaseCall, options: ReceivedCallOptions) {
    const { session } = call.stream;
    this.address = session?.socket?.remoteAddress ?? '';
    this.connection = session ?? call;
    this.#call = call;
    this.#memory = options.memory;
    this.#options = options;
    this.#assembler = new MessageAssembler(options.maxBytes, (bytes) => this.#hold(bytes));
    call.decoder = { write: (data) => this.#write(data) };
    call.decompressMessage = (message, encoding) => this.#inflated(message, encoding);
    const start = call.start.bind(call);
    call.start = (listener) => start(this.#listening(listener));
    call.stream.once('close', () => this.#end());
  }

  giveUp(): void {
    this.#end();
    const details =
      'the node has no memory for more requests on their way in, and this one holds the most; try again later';
    this.#call.sendStatus({ code: status.RESOURCE_EXHAUSTED, details, metadata: null });
  }

  #hold(bytes: number): void {
    if (!this.#over) this.#memory.change(this, bytes);
  }

  #write(data: Buffer): Buffer[] {
    const whole = this.#assembler.write(data);
    if (this.#assembler.isCrumbled) {
      // Whoever does this goes on, and each frame costs the same when nobody wants it any more.
      this.#end();
      this.#call.stream.session?.destroy(undefined, constants.NGHTTP2_ENHANCE_YOUR_CALM);
    }
    // Given up by what came: grpc-js must not go on with it.
    if (this.#over) return [];
    for (const message of whole) this.#whole.push({ bytes: message.length });
    return whole;
  }

  #listening(listener: Listener): Listener {
    return {
      onReceiveMetadata: (metadata) => listener.onReceiveMetadata(metadata),
      onReceiveMessage: (message) => {
        const bytes = this.#whole.shift()?.bytes ?? 0;
        const { isSingle, keeps } = this.#options;
        const kept = keeps ? Math.max(0, bytes - USUAL_REQUEST_BYTES) * OBJECTS_FACTOR : 0;
        const unended = isSingle ? Math.max(0, bytes - kept) : 0;
        this.#unendedBytes += unended;
        this.#hold(kept + unended - bytes);
        if (!this.#over) listener.onReceiveMessage(message);
      },
      onReceiveHalfClose: () => {
        this.#hold(-this.#unendedBytes);
        this.#unendedBytes = 0;
        listener.onReceiveHalfClose();
      },
      // At the end of every call, the answered ones too.
      onCancel: () => {
        this.#end();
        listener.onCancel();
      },
    };
  }

  #inflated(message: Buffer, encoding: string): Buffer | Promise<Buffer> {
    const contents = message.subarray(PREFIX_BYTES);
    if (encoding === 'identity') return contents;
    if (encoding === 'gzip' || encoding === 'deflate') return this.#inflate(contents, encoding);
    const details = `Received message compressed with unsupported encoding "${encoding}"`;
    return refused(status.UNIMPLEMENTED, details);
  }

  #inflate(contents: Buffer, encoding: 'gzip' | 'deflate'): Promise<Buffer> {
    const whole = this.#whole.at(-1);
    return new Promise((resolve, reject) => {
      const inflater = encoding === 'gzip' ? createGunzip() : createInflate();
      const parts: Buffer[] = [];
      let bytes = 0;
      const fail = (code: status, details: string): void => {
        this.#stopInflating.delete(stop);
        inflater.destroy();
        parts.length = 0;
        reject(Object.assign(new Error(details), { code, details }));
      };
      const stop = (): void => fail(status.RESOURCE_EXHAUSTED, 'the call is over');
      this.#stopInflating.add(stop);
      inflater.on('error', () => fail(status.INTERNAL, 'Failed to decompress message'));
      inflater.on('data', (part: Buffer) => {
        bytes += part.length;
        parts.push(part);
        if (bytes > this.#options.maxBytes) {
          const details = `Received message that decompresses to a size larger than ${this.#options.maxBytes}`;
          fail(status.RESOURCE_EXHAUSTED, details);
          return;
        }
        if (whole !== undefined) whole.bytes += part.length;
        this.#hold(part.length);
      });
      inflater.on('end', () => {
        this.#stopInflating.delete(stop);
        resolve(Buffer.concat(parts, bytes));
      });
      inflater.end(contents);
    });
  }

  #end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#memory.end(this);
    this.#assembler.drop();
    this.#whole.length = 0;
    for (const stop of [...this.#stopInflating]) stop();
  }
}

function refused(code: status, details: string): Promise<never> {
  return Promise.reject(Object.assign(new Error(details), { code, details }));
}
