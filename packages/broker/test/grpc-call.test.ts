import { EventEmitter } from 'node:events';
import { expect } from 'chai';
import { writeMessage } from '../src/grpc-call.ts';

/** A call that takes messages when it is told to. */
class FakeCall extends EventEmitter {
  cancelled = false;
  readonly flushes: (() => void)[] = [];

  write(_message: unknown, flushed: () => void): boolean {
    this.flushes.push(flushed);
    return true;
  }
}

describe('a message written to a stream', () => {
  it('is waited for until it is taken, or the call is over', async () => {
    const call = new FakeCall();
    const taken = writeMessage(call as never, {});
    call.flushes[0]!();
    await taken;
    // grpc-js drops the callback of a write to a call that ends.
    const dropped = writeMessage(call as never, {});
    call.cancelled = true;
    call.emit('cancelled');
    await dropped;
    await writeMessage(call as never, {});
    expect(call.flushes).to.have.length(2);
  });

  it('leaves nothing behind on a call that lasts', async () => {
    const call = new FakeCall();
    for (let sent = 0; sent < 100; sent++) {
      const taken = writeMessage(call as never, {});
      call.flushes.pop()!();
      await taken;
    }
    expect(call.listenerCount('cancelled')).to.equal(0);
    expect(call.listenerCount('close')).to.equal(0);
  });
});
