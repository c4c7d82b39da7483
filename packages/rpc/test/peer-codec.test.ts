import { expect } from 'chai';
import fc from 'fast-check';
import { decodeSendRequest, encodeSendRequest, peerService } from '@tidemark/rpc';

const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const message = fc.record({
  from: int32,
  to: int32,
  payload: fc.uint8Array({ maxLength: 300 }).map((each) => Buffer.from(each)),
});

describe('the codec of messages between nodes', () => {
  it('writes and reads every message as proto-loader does', () => {
    fc.assert(
      fc.property(message, (each) => {
        const wire = peerService.Send.requestSerialize(each);
        expect(encodeSendRequest(each).toBuffer()).to.deep.equal(wire);
        expect(decodeSendRequest(wire)).to.deep.equal(peerService.Send.requestDeserialize(wire));
      }),
    );
  });

  it('passes over fields it does not know', () => {
    const known = peerService.Send.requestSerialize({ from: 2, to: 1, payload: Buffer.from('x') });
    // Field 9, a varint, and field 10, two bytes.
    const wire = Buffer.concat([known, Buffer.from([0x48, 0x96, 0x01, 0x52, 0x02, 0x01, 0x02])]);
    expect(decodeSendRequest(wire)).to.deep.equal({ from: 2, to: 1, payload: Buffer.from('x') });
  });

  it('hands out the payload as a view of the message, not as a copy', () => {
    const wire = peerService.Send.requestSerialize({ from: 2, to: 1, payload: Buffer.alloc(5_000, 7) });
    expect(decodeSendRequest(wire).payload.buffer).to.equal(wire.buffer);
  });

  it('refuses bytes that end early, and never reads past the end', () => {
    const wire = peerService.Send.requestSerialize({ from: 2, to: 1, payload: Buffer.alloc(50, 7) });
    for (let length = wire.length - 1; length > 4; length--) {
      expect(() => decodeSendRequest(wire.subarray(0, length))).to.throw(/malformed/);
    }
  });
});
