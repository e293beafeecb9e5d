import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Plugin } from 'esbuild';
import { bundleScript } from '../../packaging/bundle-script.ts';

const here = dirname(fileURLToPath(import.meta.url));
const store = join(here, '../store');

/** How the daemon is started: the command, to which its flags are added. It needs nothing of the environment. */
export interface DaemonProgram {
  readonly command: readonly [node: string, script: string];
}

/** The daemon as one file, `dist/fuse/<hash of its sources>/daemon.cjs`, or where it cannot be made, its sources. */
export async function daemonProgram(): Promise<DaemonProgram> {
  const script = await bundleScript({
    entryPoints: [join(here, 'daemon.ts'), join(here, 'parse-behaviour.ts')],
    sources: [here, store],
    output: join(here, '../../dist/fuse'),
    plugins: [leanFuseNative],
  });
  return { command: [process.execPath, script] };
}

/**
 * Takes fuse-native into the bundle without what it only loads (3 ms for child_process, to execute fusermount, which is
 * never asked for; 1 ms to search for its prebuilt library), and zod, which is only loaded where there is a behaviour, not.
 */
const leanFuseNative: Plugin = {
  name: 'lean fuse-native',
  setup: ({ onResolve, onLoad }) => {
    const stands: Readonly<Record<string, string>> = {
      'node-gyp-build': `module.exports = () => require('fuse-native/prebuilds/linux-x64/node.napi.node')`,
      'fuse-shared-library': 'module.exports = {}',
      child_process: 'module.exports = {}',
    };
    onResolve({ filter: /^(node-gyp-build|fuse-shared-library|child_process)$/ }, ({ path }) => ({
      path,
      namespace: 'stand-in',
    }));
    onLoad({ filter: /./, namespace: 'stand-in' }, ({ path }) => ({ contents: stands[path] ?? '' }));
    onResolve({ filter: /parse-behaviour\.[jt]s$/ }, ({ kind }) =>
      kind === 'dynamic-import' ? { path: './parse-behaviour.cjs', external: true } : undefined,
    );
  },
};
