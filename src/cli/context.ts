import type { Surroundings } from '../doctor/clean/clean-run.ts';
import { docker } from '../doctor/clean/containers.ts';
import type { Environment } from '../environment.ts';
import type { RunId } from '../run-id.ts';
import type { Verbs } from '../verbs.ts';

/** Everything the command line depends on; created in `start.ts` or by a test. */
export interface Context {
  readonly environment: Environment;
  /** Id of the run that this process starts. */
  readonly runId: RunId;
  readonly version: string;
  /** Returns a number in [0, 1), for the default seed. */
  readonly random: () => number;
  readonly pid: number;
  /** Effective user id of this process. */
  readonly uid: number;
  /** Loads the run commands, which the other commands do not need. */
  readonly loadVerbs: () => Promise<Verbs>;
  /** What this machine lacks for a run in the sandbox, as `rekindle doctor` reports it. */
  readonly requirements: () => Promise<readonly { readonly what: string; readonly remedy: string }[]>;
  /** Resolves on the second Ctrl-C: stop waiting. */
  readonly forced: Promise<void>;
}

/** Where to look for leftovers of this user's runs. */
export function surroundingsOf({
  environment: { env },
  pid,
  uid,
}: Pick<Context, 'environment' | 'pid' | 'uid'>): Surroundings {
  return { temporary: temporaryFolder(env), containers: docker(env), own: pid, uid };
}

/** Same as os.tmpdir(), but from the environment that was passed in. */
export function temporaryFolder(env: Environment['env']): string {
  const folder = env.TMPDIR || env.TMP || env.TEMP || '/tmp';
  return folder.length > 1 ? folder.replace(/\/$/, '') : folder;
}
