import { randomBytes } from 'node:crypto';
import type { Credentials } from './s3/request.ts';

/** Credentials for one run: they open nothing else, and are never logged. */
export function runCredentials(): Credentials {
  return { accessKeyId: `rk${randomBytes(9).toString('hex')}`, accessKeySecret: randomBytes(20).toString('hex') };
}
