// `make hostile`: every attack for SECONDS (20), or those named; a table of figures, and exit code 1 when the healthy client was not
// served or the broker grew beyond its bounds.
import { attacks } from './attacks.ts';
import { HEADER, HostileRun, line } from './run-hostile.ts';

const seconds = Number(process.argv[2] ?? 20);
const names = process.argv.length > 3 ? process.argv.slice(3) : Object.keys(attacks);
const MAX_P99_MS = 2_000;
/** What the limits of a broker's buffers add up to by default (docs/operations.md, "Memory"), with a heap that no attack may fill. */
const MAX_RSS_MB = 944 + 256;

const run = await HostileRun.start();
process.stdout.write(`${HEADER}\n`);
let bad = 0;
try {
  process.stdout.write(`${line(await run.peace(5_000))}\n`);
  for (const name of names) {
    const figures = await run.under(name, seconds * 1000);
    const isBad = figures.p99Ms > MAX_P99_MS || figures.failures > 0 || figures.peakRssMb > MAX_RSS_MB;
    if (isBad) bad += 1;
    process.stdout.write(`${line(figures)}${isBad ? '  <- beyond its bounds' : ''}\n`);
    if (figures.lastFailure !== '') process.stdout.write(`  ${figures.lastFailure}\n`);
    if (!run.server.isRunning) throw new Error(`the broker is gone:\n${run.server.stderr}`);
  }
} finally {
  await run.dispose();
}
process.exit(bad > 0 ? 1 : 0);
