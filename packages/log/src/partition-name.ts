// `<topic>-<partition>`, the name of a partition's folder. Contract: whatever passes here is one path component that
// cannot leave the folder it is put in, and names exactly one topic and partition.

import { isTopicName, type PartitionIndex, type TopicName } from '@tidemark/core';

export interface PartitionName {
  readonly topic: TopicName;
  readonly partition: PartitionIndex;
}

/** The longest file name that the usual file systems take, in bytes. */
const MAX_NAME_BYTES = 255;

/** `undefined` when the text is not the name of a partition's folder. */
export function parsePartitionName(name: string): PartitionName | undefined {
  if (name.length > MAX_NAME_BYTES) return undefined;
  const dash = name.lastIndexOf('-');
  const topic = name.slice(0, Math.max(dash, 0));
  const digits = name.slice(dash + 1);
  if (!isTopicName(topic) || !/^(0|[1-9][0-9]{0,9})$/.test(digits)) return undefined;
  const partition = Number(digits);
  if (partition > 2 ** 31 - 1) return undefined;
  return { topic, partition: partition as PartitionIndex };
}

const DELETED_FOLDER = /^.{1,200}\.[0-9a-z]+-delete$/;

/** The name a partition's folder gets when it is deleted; cut so that it stays a valid file name. */
export function deletedFolderName(name: string, id: string): string {
  const suffix = `.${id}-delete`;
  return name.slice(0, 200) + suffix;
}

export function isDeletedFolderName(name: string): boolean {
  return DELETED_FOLDER.test(name);
}
