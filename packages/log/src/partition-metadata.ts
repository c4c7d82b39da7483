// `partition.metadata`: which topic a partition's folder belongs to, in Kafka's text form. Contract: written before anything is
// appended, never changed; a folder whose topic id is another one is not opened.

import { decodeUtf8, encodeUtf8, isTopicId, type Disk, type TopicId } from '@tidemark/core';
import { readWholeFile, replaceFile } from './atomic-file.ts';
import { PARTITION_METADATA_FILE } from './segment-files.ts';

const METADATA = /^version: 0\ntopic_id: ([A-Za-z0-9_-]{22})\n?$/;

/** Undefined when there is none, or none that can be read. */
export async function readPartitionMetadata(disk: Disk, directory: string): Promise<TopicId | undefined> {
  const bytes = await readWholeFile(disk, `${directory}/${PARTITION_METADATA_FILE}`, 4096);
  const id = bytes === undefined ? undefined : METADATA.exec(decodeUtf8(bytes))?.[1];
  return id !== undefined && isTopicId(id) ? id : undefined;
}

export async function writePartitionMetadata(disk: Disk, directory: string, topicId: TopicId): Promise<void> {
  const text = `version: 0\ntopic_id: ${topicId}`;
  await replaceFile(disk, directory, PARTITION_METADATA_FILE, encodeUtf8(text));
}
