// Runs the matrix on one system after the other, never on two at once: they share the machine.
import type { Cell, CellResult, ProduceMeasurement, Throughput } from './cell.ts';
import { processUsage } from './process-usage.ts';
import type { MeasuredSystem } from './system.ts';

const GIGA = 1e9;

interface Usage {
  readonly atMs: number;
  /** Of all brokers. */
  readonly cpuSeconds: number;
  /** Of the largest. */
  readonly rssBytes: number;
}

function usageOf({ pids }: MeasuredSystem): Usage {
  const usages = pids.map(processUsage);
  return {
    atMs: performance.now(),
    cpuSeconds: usages.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0),
    rssBytes: Math.max(...usages.map(({ rssBytes }) => rssBytes)),
  };
}

/** Of one core, a broker. */
function percentBetween({ pids }: MeasuredSystem, before: Usage, after: Usage): number {
  const seconds = (after.atMs - before.atMs) / 1_000;
  return (100 * (after.cpuSeconds - before.cpuSeconds)) / seconds / pids.length;
}

async function idlePercent(system: MeasuredSystem, seconds: number): Promise<number | undefined> {
  if (seconds === 0) return undefined;
  const before = usageOf(system);
  await new Promise((resolve) => setTimeout(resolve, seconds * 1_000));
  return percentBetween(system, before, usageOf(system));
}

async function measureCell(
  system: MeasuredSystem,
  cell: Cell,
  topic: string,
  rssIdleBytes: number,
  idleSeconds: number,
): Promise<CellResult> {
  let produce: ProduceMeasurement | undefined;
  let consume: Throughput | undefined;
  let problem: string | undefined;
  let cpuPercentIdle: number | undefined;
  let cpuPercentProducing: number | undefined;
  let before: Usage | undefined;
  try {
    await system.createTopic(topic, cell);
    cpuPercentIdle = await idlePercent(system, idleSeconds);
    before = usageOf(system);
    produce = await system.produce(topic, cell);
    cpuPercentProducing = percentBetween(system, before, usageOf(system));
    if (cell.rate === undefined) consume = await system.consume(topic, cell);
  } catch (error) {
    // One cell that fails must not cost the others; the row says why.
    problem = error instanceof Error ? error.message : String(error);
  }
  const after = usageOf(system);
  await system.deleteTopic(topic).catch((error: unknown) => {
    problem ??= error instanceof Error ? error.message : String(error);
  });
  const bytesMoved = (consume === undefined ? 1 : 2) * cell.records * cell.sizeBytes;
  return {
    system: system.name,
    cell,
    produce,
    consume,
    cpuSecondsPerGb:
      problem === undefined && before !== undefined
        ? (after.cpuSeconds - before.cpuSeconds) / (bytesMoved / GIGA)
        : undefined,
    cpuPercentProducing,
    cpuPercentIdle,
    rssIdleBytes,
    rssLoadedBytes: after.rssBytes,
    problem,
  };
}

/** `idleSeconds`: how long each topic is left alone before it is written to; 0: not at all. */
export async function measure(
  start: () => Promise<MeasuredSystem>,
  cells: readonly Cell[],
  idleSeconds: number,
  progress: (text: string) => void,
): Promise<readonly CellResult[]> {
  const system = await start();
  const results: CellResult[] = [];
  try {
    const rssIdleBytes = usageOf(system).rssBytes;
    const [first] = cells;
    if (first !== undefined) {
      // A just-in-time compiler needs work before it is worth measuring; what it does here is thrown away.
      progress(`${system.name} warms up`);
      await measureCell(system, first, 'bench-warm-up', rssIdleBytes, 0);
    }
    for (const [at, cell] of cells.entries()) {
      const { acks, flush, partitions, rate, replicas, sizeBytes } = cell;
      const speed = rate === undefined ? '' : `, ${rate} records/s`;
      progress(
        `${system.name} ${at + 1}/${cells.length}: ${partitions} partitions x ${replicas}, ${sizeBytes} B, acks=${acks}, flush=${flush}${speed}`,
      );
      results.push(
        await measureCell(system, cell, `bench-${at}`, rssIdleBytes, rate === undefined ? idleSeconds : 0),
      );
    }
  } finally {
    await system.stop();
  }
  return results;
}
