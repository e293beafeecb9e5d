/**
 * Bundles the agent, its child processes and the admission webhook: `node recovery/agent/bundle.ts [outdir]`, by default into dist/agent.
 *
 * Writes agent.mjs and webhook.mjs (executable) and prober.mjs. koffi is not bundled because of its native library. It
 * is resolved from a parent node_modules, in which an image needs `koffi` and `@koromix/koffi-linux-x64`.
 */
import { chmodSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';
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
    onResolve({ filter: /^(node:|https?$)/ }, ({ path }) => ({ path, namespace: 'builtin' }));
    onLoad({ filter: /.*/, namespace: 'builtin' }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule(${JSON.stringify(path)});`,
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

/** Writes the bundle and returns its directory. */
export async function bundle(outdir: string): Promise<string> {
  mkdirSync(outdir, { recursive: true });
  const require = "import { createRequire } from 'node:module';\nconst require = createRequire(import.meta.url);";
  await build({
    entryPoints: [
      { in: source('./main.ts'), out: 'agent' },
      { in: source('../linux/prober/main.ts'), out: 'prober' },
      { in: source('../webhook/main.ts'), out: 'webhook' },
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
    plugins: [withoutModels, withoutFetch, builtinsAsNeeded],
    logLevel: 'warning',
  });
  for (const program of ['agent.mjs', 'webhook.mjs']) chmodSync(join(outdir, program), 0o755);
  return outdir;
}

if (import.meta.main) {
  const outdir = await bundle(resolve(process.argv[2] ?? source('../../dist/agent')));
  process.stdout.write(`${outdir}: start it with node ${v8Flags.join(' ')} ${join(outdir, 'agent.mjs')}\n`);
}
