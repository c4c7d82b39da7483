import { expect } from 'chai';
import fc from 'fast-check';
import {
  decodeCommand,
  decodeResponse,
  encodeCommand,
  encodeResponse,
  type ControllerCommand,
} from '@tidemark/controller';
import { failure, type BrokerEpoch, type BrokerId, type Offset } from '@tidemark/core';
import { anyFailure, commandOf, commandTypes, responseOf } from './command-arbitraries.ts';

const heartbeat: ControllerCommand = {
  type: 'heartbeat',
  brokerId: 300 as BrokerId,
  brokerEpoch: (2 ** 40) as BrokerEpoch,
  wantFence: false,
  wantShutDown: true,
  appliedOffset: 5 as Offset,
};

function refusal(bytes: Uint8Array) {
  const decoded = decodeCommand(bytes);
  if (decoded.ok) throw new Error('was decoded');
  return decoded;
}

describe('the binary form of commands', () => {
  for (const type of commandTypes) {
    it(`reads back ${type} and what it is answered`, () => {
      fc.assert(
        fc.property(commandOf(type), responseOf(type), anyFailure, (command, response, refused) => {
          expect(decodeCommand(encodeCommand(command))).to.deep.equal({ ok: true, command });
          expect(decodeResponse(type, encodeResponse(type, response))).to.deep.equal(response);
          expect(decodeResponse(type, encodeResponse(type, refused))).to.deep.equal(refused);
        }),
        { numRuns: 200 },
      );
    });

    it(`refuses every truncation and every surplus byte of ${type} and its answer`, () => {
      fc.assert(
        fc.property(
          commandOf(type),
          responseOf(type),
          fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
          (command, response, share) => {
            const sent = encodeCommand(command);
            const answered = encodeResponse(type, response);
            const cut = (bytes: Uint8Array): Uint8Array => bytes.slice(0, Math.floor(bytes.length * share));
            for (const bytes of [cut(sent), Uint8Array.of(...sent, 0)]) {
              expect(refusal(bytes).error).to.equal('CORRUPT_MESSAGE');
            }
            for (const bytes of [cut(answered), Uint8Array.of(...answered, 0)]) {
              expect(decodeResponse(type, bytes)).to.include({ ok: false, error: 'CORRUPT_MESSAGE' });
            }
          },
        ),
        { numRuns: 50 },
      );
    });
  }

  it('stays as it is: frame 1, type, version, fields', () => {
    const epoch = [0xac, 0x02, 0x80, 0x80, 0x80, 0x80, 0x80, 0x20];
    expect([...encodeCommand(heartbeat)]).to.deep.equal([1, 5, 0, ...epoch, 0, 1, 5]);
    const codes = commandTypes.map((type) => [type, fc.sample(commandOf(type), 1).map(encodeCommand)[0]![1]]);
    expect(codes.sort((a, b) => Number(a[1]) - Number(b[1]))).to.deep.equal([
      ['registerCluster', 1],
      ['registerBroker', 2],
      ['fenceBroker', 3],
      ['unfenceBroker', 4],
      ['heartbeat', 5],
      ['settlePartitions', 6],
      ['alterPartition', 7],
      ['electLeaders', 8],
      ['balanceLeaders', 9],
      ['reassignPartitions', 10],
      ['createTopics', 11],
      ['deleteTopics', 12],
      ['createPartitions', 13],
      ['alterConfigs', 14],
      ['allocateProducerIds', 15],
      ['unregisterBroker', 16],
      ['alterScramCredentials', 17],
      ['createAcls', 18],
      ['deleteAcls', 19],
      ['alterClientQuotas', 20],
      ['reportOfflineReplicas', 21],
    ]);
    const answer = encodeResponse('registerBroker', { brokerEpoch: 7 as BrokerEpoch });
    expect([...answer]).to.deep.equal([1, 2, 0, 0, 7]);
    const refused = encodeResponse('fenceBroker', failure('NOT_CONTROLLER', 'no'));
    expect([...refused]).to.deep.equal([
      1,
      3,
      0,
      1,
      14,
      ...Buffer.from('NOT_CONTROLLER'),
      2,
      ...Buffer.from('no'),
    ]);
  });

  it('refuses what a newer version sent, by name, and an answer to something else', () => {
    const sent = encodeCommand(heartbeat);
    expect(refusal(sent.with(0, 2))).to.include({ error: 'UNSUPPORTED_VERSION' });
    expect(refusal(sent.with(1, 99)).message).to.contain('type 99');
    expect(refusal(sent.with(2, 1)).message).to.contain('version 1 of type 5');
    const answer = encodeResponse('settlePartitions', { changed: 1 });
    expect(decodeResponse('settlePartitions', answer.with(0, 2))).to.include({
      error: 'UNSUPPORTED_VERSION',
    });
    expect(decodeResponse('settlePartitions', answer.with(2, 1))).to.include({
      error: 'UNSUPPORTED_VERSION',
    });
    expect(decodeResponse('balanceLeaders', answer)).to.include({ error: 'CORRUPT_MESSAGE' });
  });

  it('keeps the message of a failure whose name it does not know', () => {
    const bytes = [1, 3, 0, 1, 5, ...Buffer.from('NOVEL'), 2, ...Buffer.from('no')];
    const expected = failure('UNKNOWN_SERVER_ERROR', 'no');
    expect(decodeResponse('fenceBroker', Uint8Array.from(bytes))).to.deep.equal(expected);
    const inherited = [1, 3, 0, 1, 8, ...Buffer.from('toString'), 2, ...Buffer.from('no')];
    expect(decodeResponse('fenceBroker', Uint8Array.from(inherited))).to.deep.equal(expected);
  });

  it('answers any bytes with a command or a refusal, and allocates nothing for counts that cannot be', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat(17), (bytes, code) => {
        const frame = Uint8Array.of(1, code, 0, ...bytes);
        const decoded = decodeCommand(frame);
        if (decoded.ok) expect(decodeCommand(encodeCommand(decoded.command))).to.deep.equal(decoded);
        else expect(decoded.error).to.be.oneOf(['CORRUPT_MESSAGE', 'UNSUPPORTED_VERSION']);
        const type = commandTypes[code - 1];
        if (type === undefined) return;
        const response = decodeResponse(type, frame);
        expect(decodeResponse(type, encodeResponse(type, response))).to.deep.equal(response);
      }),
      { numRuns: 10_000 },
    );
    const many = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f];
    for (const code of [7, 8, 10, 11, 12, 13, 14]) {
      const frame = Uint8Array.of(1, code, 0, ...(code === 7 ? [1, 1] : code === 8 ? [0, 1] : []), ...many);
      expect(refusal(frame).message, `type ${code}`).to.contain('declares');
    }
    const configs = Uint8Array.of(1, 11, 0, 1, 1, 0x61, 0, 0, 0, ...many);
    expect(refusal(configs).message).to.contain('pairs');
  });

  it('carries what a client asked for although it makes no sense, and never an id that is none', () => {
    const topic = {
      name: '..',
      partitionCount: -7,
      replicationFactor: 2 ** 31,
      assignments: [],
      configs: new Map(),
    };
    const command: ControllerCommand = { type: 'createTopics', topics: [topic], validateOnly: true };
    expect(decodeCommand(encodeCommand(command))).to.deep.equal({ ok: true, command });
    const nonsense = {
      type: 'deleteTopics',
      topics: [{ topicId: 'nonsense' }],
    } as unknown as ControllerCommand;
    expect(() => encodeCommand(nonsense)).to.throw(RangeError, 'is not a UUID');
    const half = { ...topic, partitionCount: 0.5 };
    expect(() => encodeCommand({ ...command, topics: [half] })).to.throw(RangeError);
  });
});
