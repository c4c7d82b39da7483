// What the log writes: JSON lines with level, time and node; repeats counted instead of written, and what must not be lost never.
import { expect } from 'chai';
import { setTimeout } from 'node:timers/promises';
import { Metadata } from '@grpc/grpc-js';
import { createLogger } from '../src/logger.ts';
import { requestIdOf } from '../src/request-id.ts';

function recorder(level = 'info', burst = 3, windowMs = 40) {
  const lines: Record<string, unknown>[] = [];
  const into = { write: (text: string) => lines.push(JSON.parse(text) as Record<string, unknown>) };
  return { lines, log: createLogger(level, { node: 7 }, into, { burst, windowMs }) };
}

describe('the log', () => {
  it('writes JSON lines with level, time, node and fields', () => {
    const { lines, log } = recorder();
    log.warn({ broker: 2 }, 'a broker is silent');
    log.debug('not at this level');
    expect(lines).to.have.length(1);
    expect(lines[0]).to.include({ level: 'warn', node: 7, broker: 2, msg: 'a broker is silent' });
    expect(Date.parse(lines[0]!['time'] as string)).to.be.greaterThan(0);
  });

  it('writes the first few of the same message, counts the rest, and says how many when the window is over', async () => {
    const { lines, log } = recorder();
    for (let at = 0; at < 50; at++) log.warn({ at }, 'it goes on trying');
    log.warn('another message');
    expect(lines.map(({ msg }) => msg)).to.deep.equal([
      ...['it goes on trying', 'it goes on trying', 'it goes on trying', 'another message'],
    ]);
    while (lines.length < 5) await setTimeout(5);
    expect(lines[4]).to.include({ level: 'warn', withheld: 47 });
    log.warn({ at: 50 }, 'it goes on trying');
    expect(lines[5]).to.include({ at: 50 });
  });

  it('never withholds what ends the process, nor what was asked for with debug', () => {
    const { lines, log } = recorder('debug');
    for (let at = 0; at < 20; at++) log.fatal('a bug was met');
    for (let at = 0; at < 20; at++) log.debug('answered');
    expect(lines).to.have.length(40);
  });

  it('goes on when there are more different messages than it counts', () => {
    const { lines, log } = recorder('info', 1, 60_000);
    for (let at = 0; at < 1_000; at++) log.info(`message ${at}`);
    expect(lines).to.have.length(1_000);
  });
});

describe('a request id', () => {
  const sent = (id: string): Metadata => {
    const metadata = new Metadata();
    metadata.set('x-request-id', id);
    return metadata;
  };

  it('is the client’s own if it is plain, or made here', () => {
    expect(requestIdOf(sent('order-17:b.2'))).to.equal('order-17:b.2');
    for (const id of ['', 'x'.repeat(65), 'a b', '{"level":"fatal"}']) {
      expect(requestIdOf(sent(id)), id).to.match(/^[0-9a-f]{16}$/);
    }
    expect(requestIdOf(new Metadata())).not.to.equal(requestIdOf(new Metadata()));
  });
});
