import { constants } from 'node:os';

/** What a record can hold as result or call: known to both threads, so that a record is numbers only. */
export const words: readonly string[] = [
  'EUNKNOWN',
  'ok',
  'EBADSUM',
  'EEMPTY',
  ...Object.keys(constants.errno),
  'open',
  'read',
  'fstat',
  'close',
  'stat',
  'lstat',
  'scandir',
];
