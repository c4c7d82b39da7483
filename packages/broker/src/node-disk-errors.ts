// From Node's errors to the Disk port's: every name of errno that the port has is kept, close relatives are mapped, and the
// rest is EIO. The original error stays as the cause.

import { DiskError, type DiskErrorCode } from '@tidemark/core';

const codes: Readonly<Record<string, DiskErrorCode>> = {
  ENOENT: 'ENOENT',
  // A path that leads through a file leads nowhere.
  ENOTDIR: 'ENOENT',
  EEXIST: 'EEXIST',
  ENOTEMPTY: 'EEXIST',
  ENOSPC: 'ENOSPC',
  EDQUOT: 'ENOSPC',
  EACCES: 'EACCES',
  EPERM: 'EACCES',
  EROFS: 'EROFS',
  EMFILE: 'EMFILE',
  ENFILE: 'EMFILE',
  EINVAL: 'EINVAL',
  EISDIR: 'EINVAL',
  ENAMETOOLONG: 'EINVAL',
  EFBIG: 'EINVAL',
};

export function errnoOf(error: unknown): string | undefined {
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : undefined;
}

export function diskError(error: unknown, path: string, operation: string): DiskError {
  if (error instanceof DiskError) return error;
  return new DiskError(codes[errnoOf(error) ?? ''] ?? 'EIO', path, operation, { cause: error });
}

/** Answers what the work answers, with every failure as a DiskError. */
export async function translated<T>(work: Promise<T>, path: string, operation: string): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw diskError(error, path, operation);
  }
}
