import type { Surroundings } from '../doctor/clean/clean-run.ts';
import { docker } from '../doctor/clean/containers.ts';
import type { Context } from './context.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** Where the runs of this user have left what they left. */
export function surroundingsOf({
  environment: { env },
  pid,
  uid,
}: Pick<Context, 'environment' | 'pid' | 'uid'>): Surroundings {
  return { temporary: temporaryFolder(env), containers: docker(env), own: pid, uid };
}
