/**
 * Bundles the agent, its child processes, the admission webhook and the keeper: `node recovery/agent/bundle.ts [outdir]`, by default into dist/agent.
 *
 * Writes agent.mjs, webhook.mjs and keeper.mjs (executable), prober.mjs, and the parts that agent.mjs loads. koffi is not bundled because of its native library. It
 * is resolved from a parent node_modules, in which an image needs `koffi` and `@koromix/koffi-linux-x64`.
 */
import { chmodSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, build, type Plugin } from 'esbuild';
import { v8Flags } from './v8-flags.ts';

const source = (path: string) => fileURLToPath(new URL(path, import.meta.url));

const client = fileURLToPath(import.meta.resolve('@kubernetes/client-node/dist/'));

/**
 * The agent uses only the KubeConfig of the client library, which needs only the configuration of the generated API. The rest
 * would add all models of Kubernetes: a thousand files, half a megabyte of code and 12 MB of memory.
 */
const withoutModels: Plugin = {
  name: 'without-models',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^@kubernetes\/client-node$/ }, () => ({ path: join(client, 'config.js') }));
    onResolve({ filter: /^\.\/gen\/index\.js$/ }, () => ({ path: 'configuration', namespace: 'kubernetes-client' }));
    onLoad({ filter: /.*/, namespace: 'kubernetes-client' }, () => ({
      contents: "export * from './configuration.js'; export * from './servers.js';",
      resolveDir: join(client, 'gen'),
    }));
  },
};

/**
 * Loads Node's modules like CommonJS. An `import` would read every exported name, which takes 20 ms of CPU at the start. Reading
 * `WebSocket` of the HTTP module would also load an unused client: another 40 ms, and its memory.
 */
const builtinsAsNeeded: Plugin = {
  name: 'builtins-as-needed',
  setup({ onResolve, onLoad }) {
    // One for each importer: if they shared it, it would be a file of its own.
    onResolve({ filter: /^(node:|https?$)/ }, ({ path, importer }) => ({
      path: `${path} for ${importer}`,
      namespace: 'builtin',
      pluginData: path,
    }));
    onLoad({ filter: /.*/, namespace: 'builtin' }, ({ pluginData }) => ({
      contents: `module.exports = process.getBuiltinModule(${JSON.stringify(pluginData)});`,
    }));
  },
};

/**
 * The KubeConfig imports undici for requests through `fetch`. The agent uses Node's HTTP client, so loading undici for 20 ms would
 * be wasted. It is replaced by a class whose constructor throws, in case that changes.
 */
const withoutFetch: Plugin = {
  name: 'without-fetch',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^undici$/ }, ({ path }) => ({ path, namespace: 'without-fetch' }));
    onLoad({ filter: /.*/, namespace: 'without-fetch' }, () => ({
      contents: `class Missing { constructor() { throw new Error('undici is not in the bundle'); } }
        export { Missing as Agent, Missing as ProxyAgent };
        export const fetch = () => new Missing();`,
    }));
  },
};

const options: BuildOptions = {
  outExtension: { '.js': '.mjs' },
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node24',
  external: ['koffi'],
  minify: true,
  keepNames: true,
  legalComments: 'linked',
  plugins: [withoutModels, withoutFetch, builtinsAsNeeded],
  logLevel: 'warning',
};

/** Writes the bundle and returns its directory. */
export async function bundle(outdir: string): Promise<string> {
  mkdirSync(outdir, { recursive: true });
  const require = "import { createRequire } from 'node:module';\nconst require = createRequire(import.meta.url);";
  const program = (path: string, name: string) => ({ in: source(path), out: name });
  const common = { ...options, outdir, banner: { js: require } };
  // The agent loads its parts in several turns of its event loop. Its children start as one file.
  await build({ ...common, entryPoints: [program('./main.ts', 'agent')], splitting: true, chunkNames: 'agent-[hash]' });
  const others = [
    program('../linux/prober/main.ts', 'prober'),
    program('../webhook/main.ts', 'webhook'),
    program('../keeper/main.ts', 'keeper'),
  ];
  await build({ ...common, entryPoints: others });
  for (const program of ['agent.mjs', 'webhook.mjs', 'keeper.mjs']) chmodSync(join(outdir, program), 0o755);
  return outdir;
}

if (import.meta.main) {
  const outdir = await bundle(resolve(process.argv[2] ?? source('../../dist/agent')));
  process.stdout.write(`${outdir}: start it with node ${v8Flags.join(' ')} ${join(outdir, 'agent.mjs')}\n`);
}
