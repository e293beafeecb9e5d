import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Surroundings } from '../doctor/clean/clean-run.ts';
import { docker } from '../doctor/clean/containers.ts';
import type { Environment } from '../environment.ts';
import type { RunId } from '../run-id.ts';
import type { Verbs } from '../verbs.ts';

/** The accepted values of arguments. Each list is loaded only when an argument needs it. */
export interface Vocabulary {
  clusters(): readonly string[];
  /** Names of the shipped profiles. */
  profiles(): Promise<readonly string[]>;
  /** Names of the profiles of faulty agents, for the self-test. */
  negativeProfiles(): Promise<readonly string[]>;
  faults(): Promise<readonly string[]>;
  /** Faults that can be combined with a crash. */
  companions(): Promise<readonly string[]>;
  tags(): readonly string[];
  /** Rejects with one sentence if the file is not a valid profile. */
  checkProfile(path: string): Promise<void>;
}

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
  readonly vocabulary: Vocabulary;
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

/** The accepted values in this version. Heavy modules load on first use. */
export const vocabulary: Vocabulary = {
  // Listed here rather than imported: the native libraries behind the clusters may fail to load, and `doctor` explains that better.
  clusters: () => ['sandbox', 'kind', 'minikube', 'existing'],
  profiles: async () => (await import('../profiles/load-profile.ts')).profileNames(),
  negativeProfiles: async () => (await import('../profiles/load-profile.ts')).negativeProfileNames(),
  faults: async () => (await import('../faults/catalogue.ts')).crashFaults,
  companions: async () => (await import('../faults/catalogue.ts')).companions,
  tags: () => featureTags(fileURLToPath(new URL('../../features', import.meta.url))),
  checkProfile: async (path) => {
    const { loadProfile } = await import('../profiles/load-profile.ts');
    await loadProfile(path, '/');
  },
};

/** All tags of the feature files in a folder, sorted. */
export function featureTags(folder: string): readonly string[] {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.feature'));
  return [...new Set(files.flatMap((file) => tagsOf(readFileSync(join(folder, file), 'utf8'))))].toSorted();
}

/** Tags of one feature file, from the lines that hold only tags; a `#` after a space begins a comment. */
export function tagsOf(feature: string): readonly string[] {
  return feature
    .split('\n')
    .filter((line) => /^\s*@/.test(line))
    .flatMap((line) => line.replace(/\s#.*/, '').match(/@[^\s@]+/g) ?? []);
}
