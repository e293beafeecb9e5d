import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Plugin } from 'esbuild';
import { bundleScript } from '../bundle-script.ts';

const here = dirname(fileURLToPath(import.meta.url));
const folders = [
  here,
  ...['../store', '../../recovery/linux', '../../recovery/keeper'].map((name) => join(here, name)),
];

/** The command that starts the daemon; its flags are appended. It needs no environment variables. */
export interface DaemonProgram {
  readonly command: readonly [node: string, script: string];
}

/** The daemon's program: one file, `dist/fuse/<hash of its sources>/daemon.cjs`, or its sources if it cannot be bundled. */
export async function daemonProgram(): Promise<DaemonProgram> {
  const script = await bundleScript({
    entryPoints: [join(here, 'daemon.ts'), join(here, 'parse-behaviour.ts')],
    sources: folders,
    output: join(here, '../../dist/fuse'),
    plugins: [leanFuseNative],
  });
  return { command: [process.execPath, script] };
}

/**
 * Bundles fuse-native without modules that it only loads: child_process (3 ms), which it uses for fusermount, and the search for its
 * prebuilt library (1 ms), and koffi without its search (10 ms). zod stays in a file of its own, which is loaded only if there is a behaviour.
 */
const leanFuseNative: Plugin = {
  name: 'lean fuse-native',
  setup: ({ onResolve, onLoad }) => {
    const replacements: Readonly<Record<string, string>> = {
      'node-gyp-build': `module.exports = () => require('fuse-native/prebuilds/linux-' + process.arch + '/node.napi.node')`,
      'fuse-shared-library': 'module.exports = {}',
      child_process: 'module.exports = {}',
      koffi: `module.exports = require('@koromix/koffi-linux-' + process.arch + '/linux_' + process.arch + '/koffi.node')`,
    };
    onResolve({ filter: /^(node-gyp-build|fuse-shared-library|child_process|koffi)$/ }, ({ path }) => ({
      path,
      namespace: 'replacement',
    }));
    onLoad({ filter: /./, namespace: 'replacement' }, ({ path }) => ({ contents: replacements[path] ?? '' }));
    onResolve({ filter: /parse-behaviour\.[jt]s$/ }, ({ kind }) =>
      kind === 'dynamic-import' ? { path: './parse-behaviour.cjs', external: true } : undefined,
    );
  },
};
