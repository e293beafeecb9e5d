import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Docker } from './docker.ts';

export interface LoadArchived {
  readonly docker: Docker;
  readonly references: readonly string[];
  readonly runId: string;
  /** Images that the nodes have, by their full names. */
  readonly present: () => Promise<ReadonlySet<string>>;
  readonly load: (archive: string) => Promise<void>;
}

/** Brings images to nodes as one archive, in which layers that several have are once; those that are there are left out. */
export async function loadArchived({ docker, references, runId, present, load }: LoadArchived): Promise<void> {
  const there = await present();
  const missing = references.filter((reference) => !there.has(fullName(reference)));
  if (missing.length === 0) return;
  const folder = mkdtempSync(join(tmpdir(), `rekindle-${runId}-images-`));
  try {
    const archive = join(folder, 'images.tar');
    await docker.save(missing, archive);
    await load(archive);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** `nginx:stable` is `docker.io/library/nginx:stable` to containerd. */
function fullName(reference: string): string {
  const [first = '', ...rest] = reference.split('/');
  if (rest.length === 0) return `docker.io/library/${reference}`;
  return /[.:]|^localhost$/.test(first) ? reference : `docker.io/${reference}`;
}
