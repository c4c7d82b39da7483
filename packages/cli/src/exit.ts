// How a command ends: the five exit codes, and the one error a command throws on purpose. It says what went wrong and what
// to type next; the process boundary prints both. Every other error is translated to this shape by `toCommandFailure`.
import { TidemarkError, type ErrorName } from '@tidemark/core';

/** Scripts rely on these; they do not change. */
export const exitCodes = { ok: 0, failure: 1, usage: 2, unhealthy: 3, notFound: 4 } as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

export class CommandFailure extends Error {
  override readonly name = 'CommandFailure';
  readonly exitCode: ExitCode;
  /** What to do about it, normally a command. */
  readonly hint: string | undefined;

  constructor(
    message: string,
    options: {
      readonly exitCode?: ExitCode;
      readonly hint?: string | undefined;
      readonly cause?: unknown;
    } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.exitCode = options.exitCode ?? exitCodes.failure;
    this.hint = options.hint;
  }
}

export function usageFailure(message: string, hint?: string): CommandFailure {
  return new CommandFailure(message, { exitCode: exitCodes.usage, hint });
}

const hints: Partial<Readonly<Record<ErrorName, string>>> = {
  UNKNOWN_TOPIC_OR_PARTITION: 'see what exists with `tidemark topic list`, or `tidemark topic create NAME`',
  TOPIC_ALREADY_EXISTS: 'look at it with `tidemark topic describe NAME`',
  NETWORK_EXCEPTION: 'is a server running there? start one with `tidemark dev`, or name it with --brokers',
  BROKER_NOT_AVAILABLE: 'is a server running there? start one with `tidemark dev`, or name it with --brokers',
  LEADER_NOT_AVAILABLE: 'see why, and who may lead it, with `tidemark partition explain TOPIC:PARTITION`',
  PREFERRED_LEADER_NOT_AVAILABLE: 'see why with `tidemark partition explain TOPIC:PARTITION`',
  ELIGIBLE_LEADERS_NOT_AVAILABLE: 'see who may lead it with `tidemark partition explain TOPIC:PARTITION`',
  REQUEST_TIMED_OUT: 'look at the cluster with `tidemark cluster info`, or allow more with --timeout',
  OFFSET_OUT_OF_RANGE: 'see the offsets it holds with `tidemark topic describe NAME`',
  INVALID_CONFIG: 'see the names and values a topic takes with `tidemark topic describe NAME --configs`',
  INVALID_REPLICATION_FACTOR: 'see how many brokers there are with `tidemark cluster info`',
  INVALID_REPLICA_ASSIGNMENT: 'see which brokers there are with `tidemark cluster info`',
  BROKER_ID_NOT_REGISTERED: 'see which brokers there are with `tidemark cluster info`',
  REASSIGNMENT_IN_PROGRESS: 'see what is being moved with `tidemark reassign status`',
  NO_REASSIGNMENT_IN_PROGRESS: 'see what is being moved with `tidemark reassign status`',
  GROUP_ID_NOT_FOUND: 'see which groups there are with `tidemark group list`',
  NON_EMPTY_GROUP: 'see who is in it with `tidemark group describe GROUP`',
  UNKNOWN_MEMBER_ID: 'see who is in the group with `tidemark group describe GROUP`',
  COORDINATOR_NOT_AVAILABLE: 'see whether brokers are missing with `tidemark cluster health`',
  COORDINATOR_LOAD_IN_PROGRESS: 'try again in a moment; it reads the offsets of its groups',
  NOT_CONTROLLER: 'no controller is active: see who is there with `tidemark quorum status`',
  NOT_ENOUGH_REPLICAS: 'see the in-sync replicas with `tidemark topic describe NAME`',
  NOT_ENOUGH_REPLICAS_AFTER_APPEND: 'see the in-sync replicas with `tidemark topic describe NAME`',
  KAFKA_STORAGE_ERROR: 'see what is wrong, and what to do, with `tidemark cluster health`',
  THROTTLING_QUOTA_EXCEEDED: 'see the quotas with `tidemark quota list`, or try again in a moment',
  SASL_AUTHENTICATION_FAILED: 'name user and password in a file: --command-config client.properties',
  CLUSTER_AUTHORIZATION_FAILED: 'see who may with `tidemark acl list`, as somebody who may see that',
  GROUP_AUTHORIZATION_FAILED:
    'allow it with `tidemark acl add --allow User:NAME --group NAME --operation read`',
  TOPIC_AUTHORIZATION_FAILED:
    'allow it with `tidemark acl add --allow User:NAME --topic NAME --operation OPERATION`',
  MESSAGE_TOO_LARGE: 'raise max.message.bytes with `tidemark topic alter NAME --set max.message.bytes=BYTES`',
};

const usageErrors: ReadonlySet<ErrorName> = new Set(['INVALID_TOPIC_EXCEPTION', 'INVALID_REQUIRED_ACKS']);
const notFoundErrors: ReadonlySet<ErrorName> = new Set([
  'UNKNOWN_TOPIC_OR_PARTITION',
  'UNKNOWN_TOPIC_ID',
  'GROUP_ID_NOT_FOUND',
]);

/** The exit code, sentence and hint of an error. A bug (anything not foreseen) keeps its stack as the cause. */
export function toCommandFailure(error: unknown): CommandFailure {
  if (error instanceof CommandFailure) return error;
  if (error instanceof TidemarkError) {
    const exitCode = usageErrors.has(error.error)
      ? exitCodes.usage
      : notFoundErrors.has(error.error)
        ? exitCodes.notFound
        : exitCodes.failure;
    return new CommandFailure(error.message, { exitCode, hint: hints[error.error], cause: error });
  }
  if (error instanceof Error) {
    const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
    const exitCode = code === 'ENOENT' ? exitCodes.notFound : exitCodes.failure;
    return new CommandFailure(error.message, { exitCode, cause: error });
  }
  return new CommandFailure(String(error), { cause: error });
}
