import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { HarnessPrograms } from '../../cluster.ts';
import { buildImage } from '../build-image.ts';
import type { Docker } from '../docker.ts';

const dockerfile = fileURLToPath(new URL('./Dockerfile', import.meta.url));

/** Builds `rekindle/harness:<hash>` where Docker does not have it yet. Returns its reference. @throws CannotRun */
export async function buildHarnessImage(docker: Docker, programs: HarnessPrograms): Promise<string> {
  // esbuild is a development dependency, which the sandbox does without.
  const { stageHarness } = await import('./stage-harness.ts');
  const context = mkdtempSync(join(tmpdir(), 'rekindle-image-'));
  try {
    await stageHarness(context, programs);
    return await buildImage({ docker, repository: 'rekindle/harness', dockerfile, context });
  } finally {
    rmSync(context, { recursive: true });
  }
}
