export { startBroker, type BrokerOptions, type RunningBroker } from './start-broker.ts';
export { runServer, type ServerOptions } from './server-main.ts';
export { StartupError } from './startup-error.ts';
export { NodeClock } from './node-clock.ts';
export { NodeDisk } from './node-disk.ts';
export { NodePrng } from './node-prng.ts';
export { VERSION } from './version.ts';
export {
  dumpSegmentFile,
  SEGMENT_FILE_EXTENSIONS,
  type SegmentDumpEntry,
  type SegmentDumpOptions,
} from './segment-dump.ts';
