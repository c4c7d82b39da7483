// Config keys as environment variables, by the rule of Kafka's images with our prefix: `TIDEMARK_`, then the name with
// `.` -> `_`, `_` -> `__`, `-` -> `___`. `<NAME>_FILE` gives the path of a file that holds a secret.

export const ENVIRONMENT_PREFIX = 'TIDEMARK_';

/** `log.segment.bytes` -> `TIDEMARK_LOG_SEGMENT_BYTES`. */
export function environmentName(configName: string): string {
  const body = configName.replaceAll(/[._-]/g, (character) =>
    character === '.' ? '_' : character === '_' ? '__' : '___',
  );
  return ENVIRONMENT_PREFIX + body.toUpperCase();
}

/** The inverse; undefined when the variable has not our prefix. */
export function configNameOf(variable: string): string | undefined {
  if (!variable.startsWith(ENVIRONMENT_PREFIX)) return undefined;
  return variable
    .slice(ENVIRONMENT_PREFIX.length)
    .toLowerCase()
    .replaceAll(/_{1,3}/g, (run) => (run.length === 1 ? '.' : run.length === 2 ? '_' : '-'));
}

/**
 * Kubernetes puts the address of every Service into each pod's environment (`TIDEMARK_PORT=tcp://...` for one called
 * `tidemark`). They are not ours, and a node must not refuse to start because of them.
 */
export function isServiceLink(variable: string): boolean {
  return /^TIDEMARK_([A-Z0-9_]+_)?(SERVICE_(HOST|PORT(_[A-Z0-9_]+)?)|PORT(_\d+_(TCP|UDP|SCTP)(_(ADDR|PORT|PROTO))?)?)$/.test(
    variable,
  );
}
