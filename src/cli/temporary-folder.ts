import type { Environment } from '../environment.ts';

/** Folder of temporary files, as os.tmpdir() has it, but from the environment that was handed down. */
export function temporaryFolder(env: Environment['env']): string {
  const folder = env.TMPDIR || env.TMP || env.TEMP || '/tmp';
  return folder.length > 1 ? folder.replace(/\/$/, '') : folder;
}
