/**
 * Bundles the agent and its child processes: `node recovery/agent/bundle.ts [outdir]`, by default into dist/agent.
 *
 * Written: agent.mjs (executable), prober.mjs, usage.mjs and csi.proto. koffi is not bundled, because of its native library:
 * it is looked for in a node_modules above, of which an image needs `koffi` and `@koromix/koffi-linux-x64`.
 */
import { chmodSync, copyFileSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';
import { v8Flags } from './v8-flags.ts';

const source = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/**
 * The client library does not say that its modules have no side effects, so all of its generated models would be kept: half a
 * megabyte of code and 12 MB of memory, of which the agent uses nothing but the KubeConfig.
 */
const withoutModels: Plugin = {
  name: 'without-models',
  setup({ onResolve, resolve: resolveModule }) {
    const seen = Symbol('seen');
    onResolve({ filter: /.*/ }, async ({ path, importer, kind, resolveDir, pluginData }) => {
      const isClient = path === '@kubernetes/client-node' || importer.includes('/@kubernetes/client-node/');
      if (pluginData === seen || !isClient) return undefined;
      const found = await resolveModule(path, { kind, resolveDir, importer, pluginData: seen });
      return { path: found.path, external: found.external, errors: found.errors, sideEffects: false };
    });
  },
};

/** Writes the bundle and returns its directory. */
export async function bundle(outdir: string): Promise<string> {
  mkdirSync(outdir, { recursive: true });
  const require = "import { createRequire } from 'node:module';\nconst require = createRequire(import.meta.url);";
  await build({
    entryPoints: [
      { in: source('./main.ts'), out: 'agent' },
      { in: source('../kernel/prober/main.ts'), out: 'prober' },
      { in: source('../csi/usage/main.ts'), out: 'usage' },
    ],
    outdir,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    external: ['koffi'],
    banner: { js: require },
    minify: true,
    keepNames: true,
    legalComments: 'linked',
    plugins: [withoutModels],
    logLevel: 'warning',
  });
  copyFileSync(source('../csi/csi.proto'), join(outdir, 'csi.proto'));
  chmodSync(join(outdir, 'agent.mjs'), 0o755);
  return outdir;
}

if (import.meta.main) {
  const outdir = await bundle(resolve(process.argv[2] ?? source('../../dist/agent')));
  process.stdout.write(`${outdir}: start it with node ${v8Flags.join(' ')} ${join(outdir, 'agent.mjs')}\n`);
}
