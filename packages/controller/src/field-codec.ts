// The building blocks of the records' binary form are core's.

export {
  FieldReader,
  FieldWriter,
  flag,
  integer,
  listOf,
  MalformedRecord,
  nullable,
  optional,
  struct,
  text,
  textThat,
  uuid,
  type FieldCodec,
} from '@tidemark/core';
