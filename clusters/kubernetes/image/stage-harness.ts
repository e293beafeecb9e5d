import { cpSync, mkdirSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { inHarnessImage } from '../../../fakes/fluid/controller-objects.ts';
import { daemonProgram } from '../../../fakes/fuse/bundle.ts';
import { installedPath } from '../../../recovery/deploy/image/installed-path.ts';
import type { HarnessPrograms } from '../../cluster.ts';
import { bundleNodeProgram } from '../node-program/bundle.ts';
import { bundleInImage } from '../node-program/in-image.ts';

const project = (path: string) => fileURLToPath(new URL(`../../../${path}`, import.meta.url));

/** What is loaded of the libraries that cannot be bundled, below node_modules. */
const libraries = [
  'koffi/index.js',
  'koffi/indirect.js',
  'koffi/index.cjs',
  'koffi/indirect.cjs',
  'koffi/lib',
  'koffi/src/koffi/index.cjs',
  'koffi/src/koffi/index.js',
  'koffi/src/koffi/src/static.cjs',
  'koffi/src/koffi/src/static.js',
  'koffi/package.json',
  '@koromix/koffi-linux-x64/index.js',
  '@koromix/koffi-linux-x64/linux_x64',
  '@koromix/koffi-linux-x64/package.json',
  'fuse-native/prebuilds/linux-x64/node.napi.node',
  'fuse-shared-library-linux/libfuse/lib/libfuse.so',
];

/** Lays out what the Dockerfile copies: `rekindle/` as the image has it at its root, and the script that gathers tools. `programs`: what the node program starts on nodes. */
export async function stageHarness(context: string, programs: HarnessPrograms): Promise<void> {
  const at = (path: string) => join(context, path);
  await Promise.all([
    stageDaemon(at(posix.dirname(inHarnessImage.fuse))),
    bundleModule('fakes/fluid/main.ts', at(inHarnessImage.controllers)),
    bundleModule('fakes/store/bucket-main.ts', at(inHarnessImage.bucket)),
    bundleNodeProgram({ outdir: at(bundleInImage), programs }),
  ]);
  cpSync(fileURLToPath(new URL('./copy-tools.sh', import.meta.url)), at('copy-tools.sh'));
  for (const library of libraries)
    cpSync(installedPath(library), at(`rekindle/node_modules/${library}`), { recursive: true });
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
