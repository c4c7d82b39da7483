export { type CoordinatorLimits, defaultCoordinatorLimits } from './coordinator-limits.ts';
export {
  GroupCoordinator,
  type AskingOf,
  type CoordinatorStatus,
  type GroupCoordinatorOptions,
  type GroupCoordinatorSources,
  type ResponseOf,
} from './group-coordinator.ts';
export {
  OffsetsTopic,
  offsetsTopicIn,
  offsetsTopicSettings,
  type OffsetsTopicSettings,
} from './offsets-topic.ts';
