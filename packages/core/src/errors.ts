// The one error table, shared by broker and client: Kafka's names and codes (org.apache.kafka.common.protocol.Errors).
//
// Pure code returns `Failure` values; edges throw `TidemarkError`. `retriable` means that the same request may succeed
// later without anybody changing it. `message` is the sentence a user sees when nothing more exact is known.

export interface ErrorSpec {
  readonly code: number;
  readonly retriable: boolean;
  readonly message: string;
}

const spec = (code: number, retriable: boolean, message: string): ErrorSpec => ({ code, retriable, message });

export const errorTable = {
  UNKNOWN_SERVER_ERROR: spec(-1, false, 'The server met an error it has no name for; its log has the cause.'),
  OFFSET_OUT_OF_RANGE: spec(1, false, 'The offset is outside the range the partition holds.'),
  CORRUPT_MESSAGE: spec(
    2,
    true,
    'The batch fails its CRC check, or its lengths and counts contradict each other.',
  ),
  UNKNOWN_TOPIC_OR_PARTITION: spec(3, true, 'This server does not host this topic or partition.'),
  LEADER_NOT_AVAILABLE: spec(5, true, 'The partition has no leader at the moment.'),
  NOT_LEADER_OR_FOLLOWER: spec(6, true, 'This broker is not the leader of the partition.'),
  REQUEST_TIMED_OUT: spec(7, true, 'The request was not done within its time.'),
  BROKER_NOT_AVAILABLE: spec(8, false, 'The broker is not available.'),
  REPLICA_NOT_AVAILABLE: spec(9, true, 'The replica is not available.'),
  MESSAGE_TOO_LARGE: spec(10, false, 'The batch is larger than max.message.bytes allows.'),
  OFFSET_METADATA_TOO_LARGE: spec(
    12,
    false,
    'The metadata of an offset is larger than offset.metadata.max.bytes.',
  ),
  NETWORK_EXCEPTION: spec(13, true, 'The connection failed before an answer came.'),
  COORDINATOR_LOAD_IN_PROGRESS: spec(
    14,
    true,
    'The coordinator is reading its partition and does not serve yet.',
  ),
  COORDINATOR_NOT_AVAILABLE: spec(15, true, 'The group has no coordinator that can write at the moment.'),
  NOT_COORDINATOR: spec(16, true, 'This broker is not the coordinator of the group.'),
  INVALID_TOPIC_EXCEPTION: spec(
    17,
    false,
    'A topic name is 1 to 249 of a-z A-Z 0-9 . _ - and neither "." nor "..".',
  ),
  RECORD_LIST_TOO_LARGE: spec(18, false, 'The request holds more batches than the server accepts in one.'),
  NOT_ENOUGH_REPLICAS: spec(
    19,
    true,
    'Fewer in-sync replicas than min.insync.replicas; nothing was written.',
  ),
  NOT_ENOUGH_REPLICAS_AFTER_APPEND: spec(
    20,
    true,
    'The batch was written, but the in-sync replicas fell below min.insync.replicas: its outcome is unknown.',
  ),
  INVALID_REQUIRED_ACKS: spec(21, false, 'acks must be 0, 1 or all (-1).'),
  ILLEGAL_GENERATION: spec(22, false, 'The generation is not the current one of the group.'),
  INCONSISTENT_GROUP_PROTOCOL: spec(
    23,
    false,
    'The protocol type differs from the group’s, or there is no protocol that all members know.',
  ),
  INVALID_GROUP_ID: spec(24, false, 'A group id has at least one character.'),
  UNKNOWN_MEMBER_ID: spec(25, false, 'The group has no member of this id.'),
  INVALID_SESSION_TIMEOUT: spec(
    26,
    false,
    'The session timeout is outside group.min.session.timeout.ms to group.max.session.timeout.ms.',
  ),
  REBALANCE_IN_PROGRESS: spec(27, false, 'The group is rebalancing; join again.'),
  TOPIC_AUTHORIZATION_FAILED: spec(29, false, 'The principal may not do this to the topic.'),
  GROUP_AUTHORIZATION_FAILED: spec(30, false, 'The principal may not do this to the group.'),
  CLUSTER_AUTHORIZATION_FAILED: spec(31, false, 'The principal may not do this to the cluster.'),
  INVALID_TIMESTAMP: spec(32, false, 'The timestamp is outside the range the topic accepts.'),
  UNSUPPORTED_SASL_MECHANISM: spec(33, false, 'The listener does not offer this SASL mechanism.'),
  ILLEGAL_SASL_STATE: spec(34, false, 'The request does not fit where the authentication stands.'),
  UNSUPPORTED_VERSION: spec(35, false, 'This version does not know the format.'),
  TOPIC_ALREADY_EXISTS: spec(36, false, 'A topic of this name exists.'),
  INVALID_PARTITIONS: spec(37, false, 'The number of partitions is not valid.'),
  INVALID_REPLICATION_FACTOR: spec(
    38,
    false,
    'The replication factor is below 1 or above the number of brokers.',
  ),
  INVALID_REPLICA_ASSIGNMENT: spec(39, false, 'The replica assignment is not valid.'),
  INVALID_CONFIG: spec(40, false, 'The configuration is not valid.'),
  NOT_CONTROLLER: spec(41, true, 'This node is not the active controller.'),
  INVALID_REQUEST: spec(42, false, 'The request contradicts itself or the protocol.'),
  POLICY_VIOLATION: spec(44, false, 'The request violates a policy of this cluster.'),
  OUT_OF_ORDER_SEQUENCE_NUMBER: spec(45, false, 'The batch does not follow the last one of this producer.'),
  DUPLICATE_SEQUENCE_NUMBER: spec(46, false, 'The batch repeats one that is older than the last five.'),
  INVALID_PRODUCER_EPOCH: spec(47, false, 'A newer instance of this producer has taken over.'),
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: spec(53, false, 'The principal may not use the transactional id.'),
  SECURITY_DISABLED: spec(54, false, 'No authorizer is configured.'),
  OPERATION_NOT_ATTEMPTED: spec(
    55,
    false,
    'Nothing was tried: the rest of the request took all there was room for.',
  ),
  KAFKA_STORAGE_ERROR: spec(56, true, 'The disk failed; the log folder is offline.'),
  SASL_AUTHENTICATION_FAILED: spec(58, false, 'The credentials are not valid.'),
  UNKNOWN_PRODUCER_ID: spec(59, false, 'The broker does not know this producer id.'),
  REASSIGNMENT_IN_PROGRESS: spec(60, false, 'The partition is being reassigned.'),
  NON_EMPTY_GROUP: spec(68, false, 'The group has members.'),
  GROUP_ID_NOT_FOUND: spec(69, false, 'There is no group of this id.'),
  FENCED_LEADER_EPOCH: spec(74, true, 'The leader epoch in the request is older than the partition’s.'),
  UNKNOWN_LEADER_EPOCH: spec(75, true, 'The leader epoch in the request is newer than this broker knows.'),
  UNSUPPORTED_COMPRESSION_TYPE: spec(76, false, 'The compression type is not known.'),
  STALE_BROKER_EPOCH: spec(77, false, 'The broker epoch belongs to an earlier incarnation.'),
  OFFSET_NOT_AVAILABLE: spec(78, true, 'The leader does not know its high watermark yet.'),
  MEMBER_ID_REQUIRED: spec(79, false, 'Join again with the member id of this answer.'),
  PREFERRED_LEADER_NOT_AVAILABLE: spec(80, true, 'The preferred leader is not in sync, or not there.'),
  GROUP_MAX_SIZE_REACHED: spec(81, false, 'The group has group.max.size members.'),
  FENCED_INSTANCE_ID: spec(82, false, 'Another member has taken over this group instance id.'),
  ELIGIBLE_LEADERS_NOT_AVAILABLE: spec(83, true, 'No replica is there that may lead.'),
  ELECTION_NOT_NEEDED: spec(84, true, 'The partition has the leader it should have.'),
  NO_REASSIGNMENT_IN_PROGRESS: spec(85, false, 'The partition is not being reassigned.'),
  GROUP_SUBSCRIBED_TO_TOPIC: spec(86, false, 'The group is subscribed to the topic.'),
  THROTTLING_QUOTA_EXCEEDED: spec(89, true, 'The quota is used up for now.'),
  INVALID_RECORD: spec(87, false, 'A record in the batch breaks a rule of the topic.'),
  RESOURCE_NOT_FOUND: spec(91, false, 'There is no such resource.'),
  DUPLICATE_RESOURCE: spec(92, false, 'The request names a resource twice.'),
  UNACCEPTABLE_CREDENTIAL: spec(93, false, 'The credential does not meet the requirements.'),
  INVALID_UPDATE_VERSION: spec(95, false, 'The partition has changed since; look and propose again.'),
  UNKNOWN_TOPIC_ID: spec(100, true, 'This server does not know the topic id.'),
  DUPLICATE_BROKER_REGISTRATION: spec(101, false, 'Another live broker has this node id.'),
  BROKER_ID_NOT_REGISTERED: spec(102, false, 'No broker with this id is registered.'),
  INCONSISTENT_TOPIC_ID: spec(103, true, 'The topic id does not belong to the topic name.'),
  INCONSISTENT_CLUSTER_ID: spec(104, false, 'The cluster id belongs to another cluster.'),
  INELIGIBLE_REPLICA: spec(
    107,
    false,
    'A replica that is fenced, shutting down or of an earlier incarnation may not be in sync.',
  ),
  NEW_LEADER_ELECTED: spec(108, false, 'The change ended a reassignment, and another broker leads now.'),
} as const satisfies Record<string, ErrorSpec>;

export type ErrorName = keyof typeof errorTable;

const byCode = new Map<number, ErrorName>(
  (Object.keys(errorTable) as ErrorName[]).map((name) => [errorTable[name].code, name]),
);

/** The name behind a code from the wire; a code this version does not know is `UNKNOWN_SERVER_ERROR`. */
export function errorName(code: number): ErrorName {
  return byCode.get(code) ?? 'UNKNOWN_SERVER_ERROR';
}

/** An operating error as a value: a name from the table and what exactly was wrong. */
export interface Failure {
  readonly ok: false;
  readonly error: ErrorName;
  readonly message: string;
}

export function failure(error: ErrorName, message: string = errorTable[error].message): Failure {
  return { ok: false, error, message };
}

/** An operating error as the edges throw it. `code` and `retriable` come from the table. */
export class TidemarkError extends Error {
  override readonly name = 'TidemarkError';
  readonly error: ErrorName;
  readonly code: number;
  readonly retriable: boolean;
  /** The message without the error's name in front. */
  readonly detail: string;

  constructor(
    error: ErrorName,
    message: string = errorTable[error].message,
    options?: { readonly cause?: unknown },
  ) {
    super(`${error}: ${message}`, options);
    this.error = error;
    this.detail = message;
    this.code = errorTable[error].code;
    this.retriable = errorTable[error].retriable;
  }

  static from(value: Failure): TidemarkError {
    return new TidemarkError(value.error, value.message);
  }
}

/** Tells a `Failure` from what was asked for. */
export function isFailure(value: unknown): value is Failure {
  return typeof value === 'object' && value !== null && 'ok' in value && value.ok === false;
}
