import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Credentials } from './s3/request.ts';

/** Reads credentials from the files of a mounted Secret; a sentence where one cannot be read. */
export function readCredentials(directory: string): Credentials | string {
  try {
    const [accessKeyId, accessKeySecret] = ['accessKeyId', 'accessKeySecret'].map((name) =>
      readFileSync(join(directory, name), 'utf8').trim(),
    );
    if (!accessKeyId || !accessKeySecret) return `--credentials=${directory}: accessKeyId or accessKeySecret is empty`;
    return { accessKeyId, accessKeySecret };
  } catch (error) {
    const { code, path } = error as NodeJS.ErrnoException;
    return `--credentials=${directory}: ${path} cannot be read (${code})`;
  }
}
