// What is wrong with a configuration, said so that the reader can repair it: what, the value, where it came from, what to
// do. All problems are collected before anything is refused, so that one round of repair is enough.

export interface ConfigSource {
  readonly kind:
    | 'default'
    | 'file'
    | 'environment'
    | 'flag'
    | 'option'
    | 'dynamic-default'
    | 'dynamic-broker'
    | 'dynamic-topic';
  /** For people: `server.properties:12`, `environment variable TIDEMARK_NODE_ID`, `flag --node.id`. */
  readonly where: string;
}

export interface ConfigProblem {
  readonly name: string;
  /** Redacted when the key is sensitive; undefined when there is no single value at fault. */
  readonly value: string | undefined;
  readonly source: ConfigSource | undefined;
  readonly cause: string;
  readonly remedy: string;
}

export const REDACTED = '[hidden]';

/** One line: `log.segment.bytes = "12" (server.properties:3): is below the minimum. Give ...`. */
export function describeProblem(problem: ConfigProblem): string {
  const value = problem.value === undefined ? '' : ` = ${JSON.stringify(problem.value)}`;
  const where = problem.source === undefined ? '' : ` (${problem.source.where})`;
  return `${problem.name}${value}${where}: ${problem.cause}. ${problem.remedy}`;
}

/** All problems, one a line. */
export function describeProblems(problems: readonly ConfigProblem[]): string {
  return problems.map(describeProblem).join('\n');
}

/**
 * The known name a mistyped one is most likely meant to be: the nearest by edit distance, within a third of its length.
 * `retention.msec` finds `retention.ms`.
 */
export function nearestName(wrong: string, known: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(2, Math.floor(wrong.length / 3)) + 1;
  const normal = wrong.toLowerCase().replaceAll(/[_-]/g, '.');
  for (const name of known) {
    const distance = editDistance(normal, name.toLowerCase(), bestDistance);
    if (distance < bestDistance) {
      best = name;
      bestDistance = distance;
    }
  }
  return best;
}

/** Levenshtein distance, or `limit` as soon as it cannot be below it. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit;
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    let smallest = i;
    for (let j = 1; j <= b.length; j++) {
      const substitution = previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      const distance = Math.min(substitution, previous[j]! + 1, current[j - 1]! + 1);
      current.push(distance);
      smallest = Math.min(smallest, distance);
    }
    if (smallest >= limit) return limit;
    previous = current;
  }
  return Math.min(previous[b.length]!, limit);
}
