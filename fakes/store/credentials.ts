import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Credentials {
  readonly accessKeyId: string;
  readonly accessKeySecret: string;
}

/** Random credentials for one run. They are never logged. */
export function createCredentials(): Credentials {
  return { accessKeyId: `rk${randomBytes(9).toString('hex')}`, accessKeySecret: randomBytes(20).toString('hex') };
}

/** Reads the files `accessKeyId` and `accessKeySecret` of a mounted Secret. Returns a sentence if that fails. */
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
