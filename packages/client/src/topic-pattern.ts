// Topics by a pattern, as `subscribe` and `assignAll` take them.
import type { TopicInfo } from './cluster-metadata.ts';

/** Undefined for names. A sticky or global expression keeps a place of its own between two tests. */
export function topicPattern(wanted: readonly string[] | RegExp): RegExp | undefined {
  if (!(wanted instanceof RegExp)) return undefined;
  return new RegExp(wanted.source, wanted.flags.replace(/[gy]/g, ''));
}

/** No internal topics, as in Kafka. */
export function topicsLike<T extends Pick<TopicInfo, 'name' | 'internal'>>(
  pattern: RegExp,
  topics: Iterable<T>,
): T[] {
  return [...topics].filter(({ name, internal }) => !internal && pattern.test(name));
}
