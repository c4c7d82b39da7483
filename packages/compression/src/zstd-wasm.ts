// Zstandard for Node without its own (before 22.15): the WebAssembly build in `@bokuweb/zstd-wasm`, instantiated here
// synchronously. Its public `init` is asynchronous and its `decompress` neither takes a bound nor looks at what malloc
// answers, so this binds the module's exports itself, through the file that the pinned version 0.0.27 has them in.
// Contract: the destination is allocated at the caller's bound and never grows. The
// WebAssembly heap keeps the size of the largest batch it has seen.

import type { Failure } from '@tidemark/core';
import type { Inflated } from '@tidemark/record';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { causeOf, corrupt, tooLarge } from './failures.ts';

/** ZSTD_error_dstSize_tooSmall: the only error of a decoder that means "more than the bound". */
const DESTINATION_TOO_SMALL = 70;
const LEVEL = 3;

// Typed by hand: Node has it, its types of version 20 do not.
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => object;
};

interface ZstdModule {
  HEAPU8: Uint8Array;
  init(wasm: Uint8Array): unknown;
  instantiateWasm(imports: object, receive: (instance: object) => unknown): unknown;
  calledRun?: boolean;
  _malloc(size: number): number;
  _free(at: number): void;
  _ZSTD_compressBound(size: number): number;
  _ZSTD_compress(to: number, capacity: number, from: number, size: number, level: number): number;
  _ZSTD_decompress(to: number, capacity: number, from: number, size: number): number;
  _ZSTD_isError(code: number): number;
}

export interface BoundedZstd {
  compress(bytes: Uint8Array): Uint8Array;
  /**
   * The result has at most `capacityBytes`; `maxBytes` is only for the message. `bounds` says where frames begin and the
   * last one ends, for an implementation that takes one at a time.
   */
  decompress(bytes: Uint8Array, bounds: readonly number[], capacityBytes: number, maxBytes: number): Inflated;
}

export function loadZstdWasm(): BoundedZstd {
  const load = createRequire(import.meta.url);
  const folder = dirname(load.resolve('@bokuweb/zstd-wasm'));
  const { Module: zstd } = load(join(folder, 'zstd.js')) as { Module: ZstdModule };
  if (zstd.calledRun !== true) {
    const wasm = readFileSync(join(folder, 'zstd.wasm'));
    zstd.instantiateWasm = (imports, receive) =>
      receive(new WebAssembly.Instance(new WebAssembly.Module(wasm), imports));
    zstd.init(wasm);
  }
  return {
    compress(bytes) {
      const packed = transform(zstd, bytes, zstd._ZSTD_compressBound(bytes.length), (to, capacity, from) =>
        zstd._ZSTD_compress(to, capacity, from, bytes.length, LEVEL),
      );
      if (packed instanceof Uint8Array) return packed;
      throw new Error(`zstd cannot compress ${bytes.length} bytes: ${reasonOf(packed)}`);
    },
    decompress(bytes, _bounds, capacityBytes, maxBytes): Inflated {
      const plain = transform(zstd, bytes, capacityBytes, (to, capacity, from) =>
        zstd._ZSTD_decompress(to, capacity, from, bytes.length),
      );
      if (plain instanceof Uint8Array) return { ok: true, bytes: plain };
      return decompressFailure(plain, capacityBytes, maxBytes);
    },
  };
}

type Trouble = { readonly code: number } | { readonly thrown: unknown } | 'no memory';

function decompressFailure(trouble: Trouble, capacityBytes: number, maxBytes: number): Failure {
  // A capacity below the bound is the most the frames can hold, so filling it means that they lie.
  const isFull = typeof trouble === 'object' && 'code' in trouble && trouble.code === DESTINATION_TOO_SMALL;
  if (trouble === 'no memory' || (isFull && capacityBytes >= maxBytes)) return tooLarge('zstd', maxBytes);
  return corrupt('zstd', reasonOf(trouble));
}

function reasonOf(trouble: Trouble): string {
  if (trouble === 'no memory') return 'there is no memory for it';
  return 'code' in trouble ? `zstd error ${trouble.code}` : causeOf(trouble.thrown);
}

function transform(
  zstd: ZstdModule,
  bytes: Uint8Array,
  capacity: number,
  run: (to: number, capacity: number, from: number) => number,
): Uint8Array | Trouble {
  const from = zstd._malloc(bytes.length + 1);
  if (from === 0) return 'no memory';
  const to = zstd._malloc(capacity + 1);
  if (to === 0) {
    zstd._free(from);
    return 'no memory';
  }
  // Every malloc may have moved the heap, so it is looked up after the last one.
  zstd.HEAPU8.set(bytes, from);
  let size: number;
  try {
    size = run(to, capacity, from);
  } catch (error) {
    // A trap. Whether the allocator is intact is not known, so it is not called again for these two.
    return { thrown: error };
  }
  const answer = zstd._ZSTD_isError(size) === 0 ? zstd.HEAPU8.slice(to, to + size) : { code: -(size | 0) };
  zstd._free(from);
  zstd._free(to);
  return answer;
}
