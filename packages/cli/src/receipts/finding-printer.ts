// What `verify` found, on stdout as it is found: a table or lines for people, one JSON document, or lines of JSON. Nothing is kept, so
// that a file with millions of findings takes no more memory than one without.
import type { Writable } from 'node:stream';
import { write } from '../command-context.ts';
import { formatCount } from '../output/quantity.ts';
import type { OutputFormat } from '../output/report.ts';
import type { Finding, Verification } from './receipt-verifier.ts';
import { VERDICTS } from './receipt-verifier.ts';

export interface VerifySummary extends Verification {
  /** Nothing is lost, moved or changed. */
  readonly ok: boolean;
  /** The last line of the file has no end and was left out. */
  readonly tornLastLine: boolean;
}

export class FindingPrinter {
  readonly #stdout: Writable;
  readonly #format: OutputFormat;
  #count = 0;

  constructor(stdout: Writable, format: OutputFormat) {
    this.#stdout = stdout;
    this.#format = format;
  }

  async finding(finding: Finding): Promise<void> {
    const first = this.#count++ === 0;
    if (this.#format === 'json') {
      await write(this.#stdout, `${first ? '{"findings":[\n' : ',\n'}  ${JSON.stringify(finding)}`);
    } else if (this.#format === 'jsonl') {
      await write(this.#stdout, `${JSON.stringify(finding)}\n`);
    } else await write(this.#stdout, `${sentence(finding)}\n`);
  }

  async summary(summary: VerifySummary): Promise<void> {
    if (this.#format === 'json') {
      const before = this.#count === 0 ? '{"findings":[' : '\n';
      await write(this.#stdout, `${before}],"summary":${JSON.stringify(summary)}}\n`);
    } else if (this.#format === 'jsonl') {
      await write(this.#stdout, `${JSON.stringify({ summary })}\n`);
    } else await write(this.#stdout, people(summary));
  }
}

function sentence(finding: Finding): string {
  const { verdict, topic, partition, offset, count, detail, leaderEpoch, inSyncReplicas, line } = finding;
  const range = count === 1 ? `${offset}` : `${offset}..${offset + count - 1}`;
  const safety = `epoch ${leaderEpoch}, in sync ${inSyncReplicas.join(',')}${finding.onDisk ? ', on disk' : ''}`;
  return `${verdict.padEnd(8)} ${topic}-${partition}@${range}  ${detail}  (line ${line}: ${safety})`;
}

function people({ receipts, records, ok, tornLastLine }: VerifySummary): string {
  const counts = VERDICTS.filter((verdict) => verdict === 'ok' || records[verdict] > 0)
    .map((verdict) => `${formatCount(records[verdict])} ${verdict}`)
    .join(', ');
  const torn = tornLastLine ? 'The last line has no end and was left out.\n' : '';
  const verdict = ok
    ? 'Nothing acknowledged is lost, moved or changed.'
    : 'Acknowledged records are NOT as they were.';
  return `${torn}${formatCount(receipts)} receipts: ${counts}.\n${verdict}\n`;
}
