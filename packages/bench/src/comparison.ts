// Runs the matrix on one system after the other, never on two at once: they share the machine.
import type { Cell, CellResult, ProduceMeasurement, Throughput } from './cell.ts';
import { processUsage } from './process-usage.ts';
import type { MeasuredSystem } from './system.ts';

const GIGA = 1e9;

async function measureCell(
  system: MeasuredSystem,
  cell: Cell,
  topic: string,
  rssIdleBytes: number,
): Promise<CellResult> {
  let produce: ProduceMeasurement | undefined;
  let consume: Throughput | undefined;
  let problem: string | undefined;
  const before = processUsage(system.pid);
  try {
    await system.createTopic(topic, cell);
    produce = await system.produce(topic, cell);
    consume = await system.consume(topic, cell);
  } catch (error) {
    // One cell that fails must not cost the others; the row says why.
    problem = error instanceof Error ? error.message : String(error);
  }
  const after = processUsage(system.pid);
  await system.deleteTopic(topic).catch((error: unknown) => {
    problem ??= error instanceof Error ? error.message : String(error);
  });
  const bytesMoved = 2 * cell.records * cell.sizeBytes;
  return {
    system: system.name,
    cell,
    produce,
    consume,
    cpuSecondsPerGb:
      problem === undefined ? (after.cpuSeconds - before.cpuSeconds) / (bytesMoved / GIGA) : undefined,
    rssIdleBytes,
    rssLoadedBytes: after.rssBytes,
    problem,
  };
}

export async function measure(
  start: () => Promise<MeasuredSystem>,
  cells: readonly Cell[],
  progress: (text: string) => void,
): Promise<readonly CellResult[]> {
  const system = await start();
  const results: CellResult[] = [];
  try {
    const rssIdleBytes = processUsage(system.pid).rssBytes;
    const [first] = cells;
    if (first !== undefined) {
      // A just-in-time compiler needs work before it is worth measuring; what it does here is thrown away.
      progress(`${system.name} warms up`);
      await measureCell(system, first, 'bench-warm-up', rssIdleBytes);
    }
    for (const [at, cell] of cells.entries()) {
      progress(
        `${system.name} ${at + 1}/${cells.length}: ${cell.partitions} partitions, ${cell.sizeBytes} B, acks=${cell.acks}, flush=${cell.flush}`,
      );
      results.push(await measureCell(system, cell, `bench-${at}`, rssIdleBytes));
    }
  } finally {
    await system.stop();
  }
  return results;
}
