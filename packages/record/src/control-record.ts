// Control records: what a transaction coordinator writes into a partition to end a transaction there (KIP-98), alone in a
// batch with the control and transactional bits. Key: version int16, type int16 (ABORT 0, COMMIT 1). Value of an end
// marker: version int16, coordinator epoch int32. A type or version this code does not know is passed over, not refused.

import { readInt16, readInt32, writeInt16, writeInt32 } from '@tidemark/core';

export type ControlRecordType = 'abort' | 'commit';

const CODES = { abort: 0, commit: 1 } as const satisfies Record<ControlRecordType, number>;
const KEY_BYTES = 4;
const VALUE_BYTES = 6;

export interface EndTxnMarker {
  readonly type: ControlRecordType;
  readonly coordinatorEpoch: number;
}

export function controlRecordKey(type: ControlRecordType): Uint8Array {
  const key = new Uint8Array(KEY_BYTES);
  writeInt16(key, 2, CODES[type]);
  return key;
}

/** `undefined` for a type of a later version, or for bytes that are no control record's key. */
export function controlRecordType(key: Uint8Array | null): ControlRecordType | undefined {
  if (key === null || key.length < KEY_BYTES || readInt16(key, 0) < 0) return undefined;
  const code = readInt16(key, 2);
  if (code === CODES.abort) return 'abort';
  return code === CODES.commit ? 'commit' : undefined;
}

export function encodeEndTxnMarker(marker: EndTxnMarker): { key: Uint8Array; value: Uint8Array } {
  const value = new Uint8Array(VALUE_BYTES);
  writeInt32(value, 2, marker.coordinatorEpoch);
  return { key: controlRecordKey(marker.type), value };
}

/** `undefined` when it is no end marker that this version can read. */
export function decodeEndTxnMarker(
  key: Uint8Array | null,
  value: Uint8Array | null,
): EndTxnMarker | undefined {
  const type = controlRecordType(key);
  if (type === undefined || value === null || value.length < VALUE_BYTES || readInt16(value, 0) < 0) {
    return undefined;
  }
  return { type, coordinatorEpoch: readInt32(value, 2) };
}
