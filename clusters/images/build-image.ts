import { createHash } from 'node:crypto';
import { globSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Docker } from './docker.ts';

export interface ImageOptions {
  readonly docker: Docker;
  /** `rekindle/harness`; the tag is a hash of what is in it. */
  readonly repository: string;
  readonly dockerfile: string;
  /** Folder of what the Dockerfile copies. */
  readonly context: string;
}

/** Builds an image where Docker does not have it yet, without network. Returns its reference. @throws CannotRun */
export async function buildImage({ docker, repository, dockerfile, context }: ImageOptions): Promise<string> {
  const reference = `${repository}:${hashOf(dockerfile, context)}`;
  if (!(await docker.hasImage(reference))) await docker.build({ reference, dockerfile, context });
  return reference;
}

function hashOf(dockerfile: string, context: string): string {
  const hash = createHash('sha256').update(readFileSync(dockerfile));
  for (const name of globSync('**/*', { cwd: context }).sort()) {
    const path = join(context, name);
    if (statSync(path).isFile()) hash.update(`${name}\0`).update(readFileSync(path));
  }
  return hash.digest('hex').slice(0, 12);
}
