import { posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { inHarnessImage } from '../../../fakes/fluid/harness-images.ts';
import type { HarnessPrograms } from '../../cluster.ts';
import { bundleNodeProgram } from '../../kubernetes/node-program/bundle.ts';
import { bundleInImage } from '../../kubernetes/node-program/in-image.ts';

const project = (path: string) => fileURLToPath(new URL(`../../../${path}`, import.meta.url));

/** Bundles what the harness image runs into a folder that stands for its root. A package brings that folder along (`packaging/compile.ts`). */
export async function bundleHarness(root: string, programs: HarnessPrograms): Promise<void> {
  const at = (path: string) => posix.join(root, path);
  await Promise.all([
    bundleModule('fakes/fluid/main.ts', at(inHarnessImage.controllers)),
    bundleModule('fakes/store/bucket-main.ts', at(inHarnessImage.bucket)),
    bundleNodeProgram({ outdir: at(bundleInImage), programs }),
  ]);
}

async function bundleModule(source: string, outfile: string): Promise<void> {
  const require = "import { createRequire } from 'node:module';\nconst require = createRequire(import.meta.url);";
  await build({
    entryPoints: [project(source)],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    banner: { js: require },
    minify: true,
    keepNames: true,
    logLevel: 'warning',
  });
}
