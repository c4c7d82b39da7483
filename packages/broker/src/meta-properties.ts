// `meta.properties` in the log folder: which cluster, which node and which folder this is. A process that is told otherwise by its
// configuration refuses to start, because serving one cluster's data as another's loses both.

import type { Disk, Prng } from '@tidemark/core';
import { decodeUtf8, encodeUtf8, topicIdFromBytes } from '@tidemark/core';
import { StartupError } from './startup-error.ts';

export interface MetaProperties {
  /** A UUID in its 22-character form, as topic ids have it. */
  readonly clusterId: string;
  readonly nodeId: number;
  readonly directoryId: string;
}

export const META_PROPERTIES = 'meta.properties';
const TEMPORARY = 'meta.properties.tmp';

function parse(text: string, folder: string): MetaProperties {
  const values = new Map<string, string>();
  for (const line of text.split('\n')) {
    const equals = line.indexOf('=');
    if (equals > 0 && !line.startsWith('#'))
      values.set(line.slice(0, equals).trim(), line.slice(equals + 1).trim());
  }
  const read = (name: string): string => {
    const value = values.get(name);
    if (value === undefined || value === '') {
      throw new StartupError(
        `${folder}/${META_PROPERTIES} has no ${name}`,
        'restore the file from a backup, or point log.dirs at another folder',
      );
    }
    return value;
  };
  const nodeId = Number(read('node.id'));
  if (!Number.isInteger(nodeId) || nodeId < 0) {
    throw new StartupError(
      `${folder}/${META_PROPERTIES} has node.id=${read('node.id')}, which is no node id`,
      'restore the file from a backup, or point log.dirs at another folder',
    );
  }
  return { clusterId: read('cluster.id'), nodeId, directoryId: read('directory.id') };
}

async function readAll(disk: Disk, path: string): Promise<Uint8Array> {
  const file = await disk.open(path, 'read');
  try {
    const bytes = new Uint8Array(await file.sizeBytes());
    let at = 0;
    while (at < bytes.length) {
      const count = await file.read(bytes.subarray(at), at);
      if (count === 0) break;
      at += count;
    }
    return bytes.subarray(0, at);
  } finally {
    await file.close();
  }
}

/** Written beside and renamed, so that a crash leaves either nothing or the whole file. */
async function write(disk: Disk, properties: MetaProperties): Promise<void> {
  const text = [
    '# Written once by Tidemark. It says whose data this folder holds; do not edit.',
    'version=1',
    `cluster.id=${properties.clusterId}`,
    `node.id=${properties.nodeId}`,
    `directory.id=${properties.directoryId}`,
    '',
  ].join('\n');
  const file = await disk.open(TEMPORARY, 'create');
  try {
    await file.truncate(0);
    let rest = encodeUtf8(text);
    let at = 0;
    while (rest.length > 0) {
      const written = await file.write([rest], at);
      at += written;
      rest = rest.subarray(written);
    }
    await file.sync();
  } finally {
    await file.close();
  }
  await disk.rename(TEMPORARY, META_PROPERTIES);
  await disk.syncDirectory('');
}

export interface ExpectedMeta {
  /** '' takes whatever the folder says. */
  readonly clusterId: string;
  readonly nodeId: number;
  /** As it is shown to people. */
  readonly folder: string;
}

/**
 * Reads the file and compares it with what the configuration says; `undefined` in a folder that has none. Changes nothing, so it
 * may be asked before the folder is locked.
 */
export async function checkMetaProperties(
  disk: Disk,
  { clusterId, nodeId, folder }: ExpectedMeta,
): Promise<MetaProperties | undefined> {
  if ((await disk.stat(META_PROPERTIES)) === undefined) return undefined;
  const found = parse(decodeUtf8(await readAll(disk, META_PROPERTIES)), folder);
  if (found.nodeId !== nodeId) {
    throw new StartupError(
      `node.id is ${nodeId}, but the folder ${folder} belongs to node ${found.nodeId}`,
      `set node.id=${found.nodeId}, or point log.dirs at this node's own folder`,
    );
  }
  if (clusterId !== '' && found.clusterId !== clusterId) {
    throw new StartupError(
      `cluster.id is ${clusterId}, but the folder ${folder} belongs to cluster ${found.clusterId}`,
      `leave cluster.id empty or set it to ${found.clusterId}, or point log.dirs at another folder`,
    );
  }
  return found;
}

/** Gives a new folder its identity. The folder's lock is held. */
export async function createMetaProperties(
  disk: Disk,
  prng: Prng,
  { clusterId, nodeId }: ExpectedMeta,
): Promise<MetaProperties> {
  const made = {
    clusterId: clusterId === '' ? topicIdFromBytes(prng.bytes(16)) : clusterId,
    nodeId,
    directoryId: topicIdFromBytes(prng.bytes(16)),
  };
  await write(disk, made);
  return made;
}
