import type { Failure } from '../engine/model.ts';

/** Why a call of the keeper has failed, and what an operator can do about it: the second half of a sentence. */
export function explainFailure({ errno, call, path }: Pick<Failure, 'errno' | 'call' | 'path'>): string {
  const at = path === '' ? '' : ` ${path}`;
  switch (errno) {
    case 'EMFILE':
      return `the keeper may open no more descriptors (${call}): raise its limit of open files`;
    case 'ENFILE':
      return `the node has no descriptors left (${call}): raise fs.file-max`;
    case 'ENOSPC':
    case 'EDQUOT':
      return `there is no room left (${call}${at}): free space or inodes there`;
    case 'ENOMEM':
    case 'ENOBUFS':
      return `there is no memory left (${call}): raise the keeper's memory limit`;
    default:
      return `${call}${at} fails with ${errno}`;
  }
}
