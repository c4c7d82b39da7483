import { EventEmitter } from 'node:events';
import { status } from '@grpc/grpc-js';
import { expect } from 'chai';
import { MetadataImage } from '@tidemark/controller';
import type { NodeContext } from '../src/broker-context.ts';
import { watchMetadata } from '../src/handlers/watch-metadata.ts';

/** What a handler sees of a call. */
class WatchCall extends EventEmitter {
  readonly request = { topics: [], allTopics: false };
  readonly cancelled = false;
  readonly messages: unknown[] = [];
  readonly errors: { readonly code: status }[] = [];

  constructor() {
    super();
    this.on('error', (error: { readonly code: status }) => {
      this.errors.push(error);
      this.emit('cancelled');
    });
  }

  write(message: unknown, taken: () => void): boolean {
    this.messages.push(message);
    taken();
    return true;
  }
}

describe('a watch on the metadata of a broker that loses the controller', () => {
  it('ends, and so does one that is begun then, so that another broker is watched', async () => {
    const listeners = new Set<() => void>();
    const replicas = {
      isIsolated: false,
      onIsolated: (listener: () => void) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    };
    const context = {
      replicas,
      closing: new AbortController().signal,
      metrics: { rpc: () => ({ streams: 0 }) },
      metadata: { image: MetadataImage.empty(), leader: undefined, onImage: () => () => undefined },
    };
    const watch = watchMetadata(context as unknown as NodeContext) as unknown as (call: WatchCall) => void;
    const call = new WatchCall();
    watch(call);
    expect([call.messages.length, call.errors.length]).to.deep.equal([1, 0]);
    replicas.isIsolated = true;
    for (const listener of listeners) listener();
    expect(call.errors.map(({ code }) => code)).to.deep.equal([status.UNAVAILABLE]);
    await new Promise(setImmediate);
    expect(listeners.size, 'nobody is told twice').to.equal(0);
    const late = new WatchCall();
    watch(late);
    expect(late.messages).to.have.length(0);
    expect(late.errors.map(({ code }) => code)).to.deep.equal([status.UNAVAILABLE]);
  });
});
