// Records as rows (`consume -o table`): printed as they come, so the widths are fixed beforehand and a long key shifts its row.
import { CONTROLS } from '../output/table.ts';
import { isoTime, type RecordWriter } from './output-format.ts';

const KEY_WIDTH = 16;

export const RECORD_TABLE_HEADERS = `PARTITION  ${'OFFSET'.padStart(12)}  ${'TIMESTAMP'.padEnd(24)}  ${'KEY'.padEnd(KEY_WIDTH)}  VALUE\n`;

const text = (bytes: Uint8Array | null): string =>
  bytes === null ? '' : Buffer.from(bytes).toString('utf8').replace(CONTROLS, '\ufffd');

export const writeTableRow: RecordWriter = ({ partition, offset, timestampMs, key, value }, sink) => {
  const place = `${String(partition).padStart(9)}  ${String(offset).padStart(12)}  ${isoTime(timestampMs).padEnd(24)}`;
  sink.text(`${place}  ${text(key).padEnd(KEY_WIDTH)}  ${text(value)}`.trimEnd() + '\n');
};
