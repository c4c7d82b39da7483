import { expect } from 'chai';
import type { Logger } from 'pino';
import { memoryNeededBytes, warnOfMemory } from '../src/memory-sizing.ts';
import { testConfig } from './harness.ts';

const MIB = 1024 * 1024;

describe('the memory a node may have', () => {
  const small = testConfig('/nowhere', {
    'socket.request.max.bytes': '16777216',
    'queued.max.request.bytes': '33554432',
    'queued.max.response.bytes': '33554432',
    'fetch.max.bytes': '8388608',
    'max.inflated.batch.bytes': '33554432',
    'log.tail.bytes': '33554432',
  });
  const told = (haveBytes: number, heapBytes: number): readonly string[] => {
    const lines: string[] = [];
    const log = { warn: (_fields: unknown, line: string) => lines.push(line) } as unknown as Logger;
    warnOfMemory(small, log, haveBytes, heapBytes);
    return lines;
  };

  it('is enough in a gigabyte with the settings of the compose files', () => {
    expect(told(1024 * MIB, 384 * MIB)).to.deep.equal([]);
    expect(memoryNeededBytes(small, 384 * MIB) / MIB).to.equal(752);
  });

  it('is said to be too little when the limits add up to more', () => {
    const [line] = told(512 * MIB, 384 * MIB);
    expect(line).to.contain('add up to 752 MiB and it may have 512');
  });
});
