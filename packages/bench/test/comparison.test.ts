// What the comparison reads from the peer's tools, and how it shows what it found.
import { expect } from 'chai';
import {
  cells,
  parseConsumerPerf,
  parseOptions,
  parseProducerPerf,
  processUsage,
  renderReport,
  type CellResult,
} from '@tidemark/bench';

describe("the peer's tools", () => {
  it('are read from their last line, not from the one of every five seconds', () => {
    const output = [
      '99999 records sent, 19999.8 records/sec (1.91 MB/sec), 20.0 ms avg latency, 30.0 ms max latency.',
      '200000 records sent, 43994.720634 records/sec (4.20 MB/sec), 1545.29 ms avg latency, 1873.00 ms max latency, 1666 ms 50th, 1847 ms 95th, 1853 ms 99th, 1873 ms 99.9th.',
      '',
    ].join('\n');
    const { recordsPerSecond, megabytesPerSecond, ...latency } = parseProducerPerf(output, 100);
    expect(recordsPerSecond).to.equal(43_994.720634);
    expect(megabytesPerSecond).to.be.closeTo(4.399, 0.001);
    expect(latency).to.deep.equal({ p50Ms: 1_666, p99Ms: 1_853, p999Ms: 1_873 });
  });

  it('are read by the name of the column, without the time the group needed', () => {
    const output =
      'start.time, end.time, data.consumed.in.MB, MB.sec, data.consumed.in.nMsg, nMsg.sec, rebalance.time.ms, fetch.time.ms, fetch.MB.sec, fetch.nMsg.sec\n' +
      '2026-11-21 00:10:48:423, 2026-11-21 00:10:50:998, 19.0735, 7.4072, 200000, 77669.9029, 1624, 951, 20.0562, 210304.9422\n';
    expect(parseConsumerPerf(output, 1_000).recordsPerSecond).to.equal(210_304.9422);
  });

  it('are never taken for zero when they print something else', () => {
    expect(() => parseProducerPerf('org.apache.kafka.common.errors.TimeoutException\n', 100)).to.throw(
      'printed no',
    );
    expect(() => parseConsumerPerf('', 100)).to.throw('printed no rate');
  });
});

describe('the comparison', () => {
  it('has a cell for every combination, with the same amount of data', () => {
    const options = parseOptions(['--megabytes', '10'])!;
    const matrix = cells(options);
    expect(matrix).to.have.length(16);
    expect(new Set(matrix.map((cell) => JSON.stringify(cell)))).to.have.length(16);
    expect(matrix.find(({ sizeBytes }) => sizeBytes === 100)!.records).to.equal(100_000);
    expect(matrix.find(({ sizeBytes }) => sizeBytes === 1_024)!.records).to.equal(9_766);
    const cluster = cells(parseOptions(['--brokers', '3', '--rates', '2000', '--sizes', '100'])!);
    expect(cluster.every(({ replicas }) => replicas === 3)).to.equal(true);
    expect(cluster.filter(({ rate }) => rate === 2_000)).to.have.length(cluster.length / 2);
    expect(cluster.find(({ rate }) => rate === 2_000)!.records).to.equal(30_000);
  });

  it('refuses what it does not understand', () => {
    expect(() => parseOptions(['--sizes', 'big'])).to.throw('"big" is not a positive number');
    expect(() => parseOptions(['--acks', '2'])).to.throw('none of 1, all');
    expect(() => parseOptions(['--replicas', '3'])).to.throw('only 1 brokers');
    expect(() => parseOptions(['--kafka-peer', 'x'])).to.throw('go together');
    expect(parseOptions(['--help'])).to.equal(undefined);
  });

  it('sees the processor time and memory of a process', function () {
    if (process.platform !== 'linux') this.skip();
    const { cpuSeconds, rssBytes } = processUsage(process.pid);
    expect(cpuSeconds).to.be.greaterThan(0);
    expect(rssBytes).to.be.closeTo(process.memoryUsage().rss, 64 * 1_048_576);
  });

  it('shows what was measured and why something was not', () => {
    const cell = {
      partitions: 1,
      sizeBytes: 100,
      acks: 'all',
      flush: 'ack',
      replicas: 3,
      rate: undefined,
      records: 5,
    } as const;
    const result: CellResult = {
      system: 'tidemark',
      cell,
      produce: { recordsPerSecond: 123_456.7, megabytesPerSecond: 12.34, p50Ms: 1.25, p99Ms: 2, p999Ms: 3 },
      consume: undefined,
      cpuSecondsPerGb: undefined,
      cpuPercentProducing: 12.34,
      cpuPercentIdle: 0.5,
      rssIdleBytes: 1_048_576,
      rssLoadedBytes: 2_097_152,
      problem: 'timed out',
    };
    const [headers, row] = renderReport([result]).split('\n');
    expect(headers).to.match(/^PARTITIONS +RF +SIZE +ACKS +FLUSH +RATE +SYSTEM/);
    expect(row!.split(/ {2,}/)).to.deep.equal([
      '1',
      '3',
      '100',
      'all',
      'ack',
      'full',
      'tidemark',
      '123,457',
      '12.3',
      '1.3',
      '2.0',
      '3.0',
      '-',
      '-',
      '-',
      '12.3',
      '0.5',
      '1M',
      '2M',
      'timed out',
    ]);
  });
});
