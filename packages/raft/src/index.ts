export * from './entry.ts';
export { type ReplicaStatus, type SnapshotPiece } from './leadership.ts';
export * from './message.ts';
export * from './message-codec.ts';
export * from './observer.ts';
export * from './options.ts';
export { type ProgressState } from './progress.ts';
export { Raft, type Proposed as RaftProposed, type RaftStatus } from './raft.ts';
export { type RaftLogState, type TermStart } from './raft-log.ts';
export {
  type ConfirmedRead,
  type EntryRead,
  type FailedRead,
  type HardState,
  type InstallSnapshot,
  type Ready,
  type SnapshotRead,
} from './ready.ts';
export * from './replica.ts';
export { type VoterChange } from './voter-change.ts';
export { decodeVoters, encodeVoters, endpointCodec, replicaCodec, votersCodec } from './voters-codec.ts';
