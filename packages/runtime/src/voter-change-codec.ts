// A change of the voters as the body of a request between nodes.

import { failure, FieldReader, FieldWriter, flag, MalformedRecord, type Failure } from '@tidemark/core';
import { endpointCodec, replicaCodec, type VoterChange } from '@tidemark/raft';

export function encodeVoterChange(change: VoterChange): Uint8Array {
  const writer = new FieldWriter();
  flag.write(writer, change.type === 'add');
  if (change.type === 'add') {
    replicaCodec.write(writer, change.voter);
    endpointCodec.write(writer, change.voter.endpoint);
  } else replicaCodec.write(writer, change.replica);
  return writer.finish();
}

export function decodeVoterChange(
  bytes: Uint8Array,
): { readonly ok: true; readonly change: VoterChange } | Failure {
  const reader = new FieldReader(bytes);
  try {
    const isAdded = flag.read(reader);
    const replica = replicaCodec.read(reader);
    const change: VoterChange = isAdded
      ? { type: 'add', voter: { ...replica, endpoint: endpointCodec.read(reader) } }
      : { type: 'remove', replica };
    if (reader.left > 0) throw new MalformedRecord(`has ${reader.left} bytes too many`);
    return { ok: true, change };
  } catch (error) {
    if (error instanceof MalformedRecord)
      return failure('CORRUPT_MESSAGE', `A change of voters ${error.message}.`);
    throw error;
  }
}
