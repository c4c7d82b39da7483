// The one table of packages: what kind each is and what it may import. The lint rules, every package's
// TypeScript references and its workspace dependencies are generated from it (`sync-layers.js`).
//
//   pure   synchronous; no promises, clock, randomness, I/O, `node:*`
//   ports  async, but touches the world only through the injected Clock, Prng, Disk and Network
//   edge   the only packages with `node:*`, gRPC and LevelDB
//   dev    never part of a running node

/**
 * @typedef {object} Layer
 * @property {'pure' | 'ports' | 'edge' | 'dev'} kind
 * @property {readonly string[]} imports   packages of this workspace that `src/` may import
 * @property {readonly string[]} libraries npm packages that `src/` may import
 */

/** @type {Readonly<Record<string, Layer>>} */
export const layers = {
  core: { kind: 'pure', imports: [], libraries: [] },
  record: { kind: 'pure', imports: ['core'], libraries: ['@node-rs/crc32'] },
  raft: { kind: 'pure', imports: ['core'], libraries: [] },
  controller: { kind: 'pure', imports: ['core'], libraries: [] },
  replication: { kind: 'pure', imports: ['core'], libraries: [] },
  group: { kind: 'pure', imports: ['core'], libraries: [] },
  log: { kind: 'ports', imports: ['record', 'core'], libraries: [] },
  runtime: {
    kind: 'ports',
    imports: ['core', 'record', 'raft', 'controller', 'replication', 'group', 'log'],
    libraries: [],
  },
  compression: {
    kind: 'edge',
    imports: ['record', 'core'],
    libraries: ['lz4-napi', 'snappy', '@bokuweb/zstd-wasm'],
  },
  rpc: { kind: 'edge', imports: ['core', 'record'], libraries: ['@grpc/grpc-js', '@grpc/proto-loader'] },
  broker: {
    kind: 'edge',
    imports: [
      'core',
      'record',
      'raft',
      'controller',
      'replication',
      'group',
      'log',
      'runtime',
      'rpc',
      'compression',
    ],
    libraries: ['@grpc/grpc-js', '@opentelemetry/api', 'classic-level', 'pino', 'prom-client'],
  },
  client: {
    kind: 'edge',
    imports: ['rpc', 'group', 'record', 'core', 'compression'],
    libraries: ['@grpc/grpc-js', '@opentelemetry/api'],
  },
  cli: { kind: 'edge', imports: ['client', 'broker', 'core'], libraries: ['commander', 'picocolors'] },
  simulation: {
    kind: 'dev',
    imports: ['core', 'record', 'raft', 'controller', 'replication', 'group', 'log', 'runtime'],
    libraries: [],
  },
  bench: { kind: 'dev', imports: ['client', 'cli'], libraries: [] },
};
