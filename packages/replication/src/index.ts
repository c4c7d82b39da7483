export * from './fetch-decision.ts';
export {
  PROPOSAL_BACKOFF_MS,
  type AlteredIsr,
  type IsrProposal,
  type ProposalOutcome,
  type ProposedMember,
} from './isr-state.ts';
export * from './partition-leader.ts';
export * from './partition-view.ts';
export * from './partition-follower.ts';
export { truncationPoint } from './truncation-point.ts';
export * from './follower-session.ts';
export * from './leader-session.ts';
export { decodeSessionMessage, encodeSessionMessage } from './session-codec.ts';
export * from './session-message.ts';
