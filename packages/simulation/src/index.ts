export * from './conformance/case.ts';
export * from './conformance/clock.ts';
export * from './conformance/disk.ts';
export {
  keyValueConformance,
  keyValueCrashConformance,
  type CrashableKeyValueStore,
  type KeyValueStoreUnderTest,
} from './conformance/key-value.ts';
export * from './conformance/network.ts';
export * from './conformance/prng.ts';
export { crashModes, type CrashMode } from './crash-survivors.ts';
export * from './disk-step.ts';
export * from './lying-disk.ts';
export * from './node-sim-clock.ts';
export * from './sim-clock.ts';
export * from './sim-disk.ts';
export * from './sim-key-value.ts';
export * from './sim-network.ts';
export * from './sim-prng.ts';
export * from './trace.ts';
export {
  exploreCrashPoints,
  type CrashPointOptions,
  type CrashPointReport,
} from './log-crash/crash-points.ts';
export {
  exploreFaultPoints,
  type FaultPointOptions,
  type FaultPointReport,
} from './log-crash/fault-points.ts';
export * from './cluster/client-history.ts';
export * from './cluster/cluster-checks.ts';
export * from './cluster/faults.ts';
export * from './cluster/image-checks.ts';
export * from './cluster/loads.ts';
export * from './cluster/run-seed.ts';
export * from './cluster/simulated-node.ts';
export * from './cluster/violations.ts';
export * from './cluster/production-node.ts';
export * from './cluster/regression.ts';
export * from './cluster/shrink.ts';
export * from './mutants/mutant.ts';
export * from './mutants/mutants.ts';
export {
  exploreCompactionFaults,
  exploreCompactionPoints,
  type CompactionPointOptions,
  type CompactionPointReport,
} from './log-crash/compaction-points.ts';
export { anomalyNames, type AnomalyName, type HistoryReport, type Loss } from './history/anomaly.ts';
export { HistoryChecker, type HistoryRules } from './history/history-checker.ts';
export { historyLine, parseHistoryLine, tell, type HistoryEvent } from './history/history-event.ts';
