// A set of voters as bytes: the payload of a `voters` entry, and a part of messages and of the stored state.

import {
  failure,
  FieldReader,
  FieldWriter,
  integer,
  listOf,
  MalformedRecord,
  struct,
  text,
  uuid,
  type Failure,
  type FieldCodec,
  type NodeId,
} from '@tidemark/core';
import { MAX_VOTERS, type PeerEndpoint, type ReplicaKey, type Voter, type VoterSet } from './replica.ts';

const VERSION = 1;

export const nodeIdCodec = integer<NodeId>(2 ** 31 - 1);
export const replicaCodec: FieldCodec<ReplicaKey> = struct<ReplicaKey>({
  nodeId: nodeIdCodec,
  directoryId: uuid<string>(),
});
export const endpointCodec: FieldCodec<PeerEndpoint> = struct<PeerEndpoint>({
  host: text,
  port: integer(65_535),
});

const listCodec = listOf(
  struct<Voter>({ nodeId: nodeIdCodec, directoryId: uuid<string>(), endpoint: endpointCodec }),
);

export const votersCodec: FieldCodec<VoterSet> = {
  write: listCodec.write,
  read: (reader) => {
    const voters = listCodec.read(reader);
    if (voters.length > MAX_VOTERS) throw new MalformedRecord(`names ${voters.length} voters`);
    for (let at = 1; at < voters.length; at++) {
      if (voters[at]!.nodeId <= voters[at - 1]!.nodeId)
        throw new MalformedRecord('names voters out of order');
    }
    return voters;
  },
};

export function encodeVoters(voters: VoterSet): Uint8Array {
  const writer = new FieldWriter();
  writer.unsigned(VERSION);
  votersCodec.write(writer, voters);
  return writer.finish();
}

/** Keeps no reference to `bytes`. CORRUPT_MESSAGE, or UNSUPPORTED_VERSION. */
export function decodeVoters(bytes: Uint8Array): { readonly ok: true; readonly voters: VoterSet } | Failure {
  const reader = new FieldReader(bytes);
  try {
    const version = reader.unsigned();
    if (version > VERSION) {
      return failure(
        'UNSUPPORTED_VERSION',
        `A set of voters has version ${version}, which is newer than this node.`,
      );
    }
    const voters = votersCodec.read(reader);
    if (reader.left > 0) throw new MalformedRecord(`has ${reader.left} bytes too many`);
    return { ok: true, voters };
  } catch (error) {
    if (error instanceof MalformedRecord)
      return failure('CORRUPT_MESSAGE', `A set of voters ${error.message}.`);
    throw error;
  }
}
