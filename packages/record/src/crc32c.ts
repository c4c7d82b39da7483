// CRC32C (Castagnoli), the checksum of a record batch: check value e3069283 for "123456789".
// Contract: synchronous, allocates nothing. Sixteen bytes a step with sixteen tables ("slicing-by-16", Kounavis and
// Berry, 2005), which is the fastest that plain JavaScript gets; this file is the one place that knows how it is done.

const STEP = 16;
const tables = buildTables();

function buildTables(): readonly Int32Array[] {
  const made = Array.from({ length: STEP }, () => new Int32Array(256));
  for (let value = 0; value < 256; value++) {
    let crc = value;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
    made[0]![value] = crc;
  }
  for (let table = 1; table < STEP; table++) {
    for (let value = 0; value < 256; value++) {
      const before = made[table - 1]![value]!;
      made[table]![value] = (before >>> 8) ^ made[0]![before & 0xff]!;
    }
  }
  return made;
}

const [t0, t1, t2, t3, t4, t5, t6, t7, t8, t9, t10, t11, t12, t13, t14, t15] = tables as [
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
];

/** CRC32C of `bytes` from `start` to `end`, as an unsigned number. */
export function crc32c(bytes: Uint8Array, start = 0, end = bytes.length): number {
  let crc = -1;
  let at = start;
  for (const last = end - STEP; at <= last; at += STEP) {
    crc =
      t15[(crc ^ bytes[at]!) & 0xff]! ^
      t14[((crc >>> 8) ^ bytes[at + 1]!) & 0xff]! ^
      t13[((crc >>> 16) ^ bytes[at + 2]!) & 0xff]! ^
      t12[(crc >>> 24) ^ bytes[at + 3]!]! ^
      t11[bytes[at + 4]!]! ^
      t10[bytes[at + 5]!]! ^
      t9[bytes[at + 6]!]! ^
      t8[bytes[at + 7]!]! ^
      t7[bytes[at + 8]!]! ^
      t6[bytes[at + 9]!]! ^
      t5[bytes[at + 10]!]! ^
      t4[bytes[at + 11]!]! ^
      t3[bytes[at + 12]!]! ^
      t2[bytes[at + 13]!]! ^
      t1[bytes[at + 14]!]! ^
      t0[bytes[at + 15]!]!;
  }
  for (; at < end; at++) crc = (crc >>> 8) ^ t0[(crc ^ bytes[at]!) & 0xff]!;
  return ~crc >>> 0;
}
