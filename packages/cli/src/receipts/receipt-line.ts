// A line of a receipts file: what the leader said of up to a thousand records that lie one behind the other, as compact JSON. The format
// is in docs/receipts.md; a field more may come, those here stay.

export interface ReceiptLine {
  readonly topic: string;
  /** Tells a topic from one of the same name that was created after it. */
  readonly topicId: string;
  readonly partition: number;
  readonly leaderEpoch: number;
  /** -1 when the leader has the records and no longer knows where. */
  readonly baseOffset: number;
  /** Records, 1 to `MAX_RECORDS_PER_LINE`. */
  readonly count: number;
  /** Of the first record, in ms. */
  readonly timestamp: number;
  readonly inSyncReplicas: readonly number[];
  readonly onDisk: boolean;
  /** Of each record, in the order of their offsets. */
  readonly checksums: Uint32Array;
}

export const MAX_RECORDS_PER_LINE = 1_000;
const HEX_DIGITS = 8;

export function formatReceiptLine(line: ReceiptLine): string {
  let checksums = '';
  for (const checksum of line.checksums) checksums += checksum.toString(16).padStart(HEX_DIGITS, '0');
  return `${JSON.stringify({ ...line, checksums })}\n`;
}

/** The line, or what is wrong with it. */
export function parseReceiptLine(text: string): ReceiptLine | { readonly fault: string } {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    return { fault: `is no JSON: ${error instanceof Error ? error.message : String(error)}` };
  }
  if (typeof parsed !== 'object' || parsed === null) return { fault: 'is no JSON object' };
  const fields = parsed as Record<string, unknown>;
  const wrong = (name: string, what: string): { readonly fault: string } => ({
    fault:
      `has no ${name} that is ${what}, but ${name in fields ? JSON.stringify(fields[name]) : 'none'}`.slice(
        0,
        200,
      ),
  });
  const { topic, topicId, partition, leaderEpoch, baseOffset, count, timestamp } = fields;
  const { inSyncReplicas, onDisk, checksums } = fields;
  if (typeof topic !== 'string' || topic === '') return wrong('topic', 'a name');
  if (typeof topicId !== 'string') return wrong('topicId', 'a text');
  if (!isWhole(partition, 0)) return wrong('partition', 'a whole number from 0 on');
  if (!isWhole(leaderEpoch, -1)) return wrong('leaderEpoch', 'a whole number from -1 on');
  if (!isWhole(baseOffset, -1)) return wrong('baseOffset', 'a whole number from -1 on');
  if (!isWhole(count, 1) || count > MAX_RECORDS_PER_LINE) {
    return wrong('count', `a whole number from 1 to ${MAX_RECORDS_PER_LINE}`);
  }
  if (!isWhole(timestamp, -1)) return wrong('timestamp', 'a time in ms');
  if (!Array.isArray(inSyncReplicas) || !inSyncReplicas.every((id) => isWhole(id, 0))) {
    return wrong('inSyncReplicas', 'a list of broker ids');
  }
  if (typeof onDisk !== 'boolean') return wrong('onDisk', 'true or false');
  if (typeof checksums !== 'string' || !/^[0-9a-f]*$/.test(checksums))
    return wrong('checksums', 'hexadecimal');
  if (checksums.length !== count * HEX_DIGITS) {
    return {
      fault: `has ${checksums.length} digits of checksums where ${count} records have ${count * HEX_DIGITS}`,
    };
  }
  const sums = Uint32Array.from({ length: count }, (_, at) =>
    Number.parseInt(checksums.slice(at * HEX_DIGITS, (at + 1) * HEX_DIGITS), 16),
  );
  return {
    topic,
    topicId,
    partition,
    leaderEpoch,
    baseOffset,
    count,
    timestamp,
    inSyncReplicas,
    onDisk,
    checksums: sums,
  };
}

function isWhole(value: unknown, minimum: number): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= minimum;
}
