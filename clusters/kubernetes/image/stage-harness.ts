import { cpSync, mkdirSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { inHarnessImage } from '../../../fakes/fluid/controller-objects.ts';
import { daemonProgram } from '../../../fakes/fuse/bundle.ts';
import { copyKoffi, installedPath } from '../../../recovery/deploy/image/build-context.ts';
import type { HarnessPrograms } from '../../cluster.ts';
import { bundleNodeProgram } from '../node-program/bundle.ts';
import { bundleInImage } from '../node-program/in-image.ts';

const project = (path: string) => fileURLToPath(new URL(`../../../${path}`, import.meta.url));

/** Add-ons, which cannot be bundled. */
const addOns = ['fuse-native/prebuilds/linux-x64/node.napi.node', 'fuse-shared-library-linux/libfuse/lib/libfuse.so'];

/** Creates the Dockerfile's build context: `rekindle/`, which becomes a root directory of the image, and the script that collects tools. */
export async function stageHarness(context: string, programs: HarnessPrograms): Promise<void> {
  const inContext = (path: string) => join(context, path);
  await Promise.all([
    stageDaemon(inContext(posix.dirname(inHarnessImage.fuse))),
    bundleModule('fakes/fluid/main.ts', inContext(inHarnessImage.controllers)),
    bundleModule('fakes/store/bucket-main.ts', inContext(inHarnessImage.bucket)),
    bundleNodeProgram({ outdir: inContext(bundleInImage), programs }),
  ]);
  cpSync(fileURLToPath(new URL('./copy-tools.sh', import.meta.url)), inContext('copy-tools.sh'));
  copyKoffi(inContext('rekindle/node_modules'));
  for (const addOn of addOns) cpSync(installedPath(addOn), inContext(`rekindle/node_modules/${addOn}`));
}

async function stageDaemon(folder: string): Promise<void> {
  const { command } = await daemonProgram();
  const [, script] = command;
  mkdirSync(dirname(folder), { recursive: true });
  cpSync(dirname(script), folder, { recursive: true });
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
