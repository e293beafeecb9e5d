import { execFile } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import type { BuildOptions, Plugin } from 'esbuild';
import packageJson from '../package.json' with { type: 'json' };

/** Packages of which the harness's processes load most of the files: the client of Kubernetes alone has a thousand. */
export const packages = [
  '@cucumber/cucumber',
  '@cucumber/cucumber/api',
  '@cucumber/gherkin',
  '@cucumber/messages',
  '@cucumber/tag-expressions',
  '@kubernetes/client-node',
  '@peculiar/x509',
  'execa',
  'yaml',
  'zod',
] as const;

const project = new URL('../', import.meta.url);

/** `dist/packages/<hash of the versions>`. */
function bundleFolder(): string {
  const lockFile = fileURLToPath(new URL('package-lock.json', project));
  const lock = existsSync(lockFile) ? readFileSync(lockFile) : JSON.stringify(packageJson.dependencies);
  const hash = createHash('sha256').update(process.version).update(lock);
  return join(fileURLToPath(project), 'dist/packages', hash.digest('hex').slice(0, 12));
}

const registrar = (folder: string) => join(folder, 'register.mjs');

/**
 * Node's flags with which a process of the harness takes large packages from one file each, and collects garbage less often, which takes
 * the processors from what is measured.
 * Without the bundles the packages are loaded as they are.
 */
export function packageFlags(): readonly string[] {
  const script = registrar(bundleFolder());
  return ['--min-semi-space-size=16', ...(existsSync(script) ? [`--import=${pathToFileURL(script)}`] : [])];
}

/** Creates the bundles that `packageFlags` uses. Returns false if that is impossible: without esbuild, or in a read-only folder. */
export async function bundlePackages(): Promise<boolean> {
  const folder = bundleFolder();
  if (existsSync(folder)) return true;
  // Several processes may do this at once.
  const unfinished = `${folder}.${randomUUID()}`;
  try {
    const { build } = await import('esbuild');
    await build({ ...options, outdir: unfinished, plugins: [await entriesWithNames()] });
    await writeFile(registrar(unfinished), registration());
    await rename(unfinished, folder);
    return true;
  } catch {
    await rm(unfinished, { recursive: true, force: true });
    return existsSync(folder);
  }
}

const fileOf = (name: string) => name.replaceAll('/', '+');

const options: BuildOptions = {
  absWorkingDir: fileURLToPath(project),
  entryPoints: packages.map((name) => ({ in: `entry:${name}`, out: fileOf(name) })),
  outExtension: { '.js': '.mjs' },
  bundle: true,
  // Cucumber's parts share their state.
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  // Names of classes stay, which some errors contain.
  minifyWhitespace: true,
  minifySyntax: true,
  // Some packages are CommonJS.
  banner: {
    js: [
      "import { createRequire as $createRequire } from 'node:module';",
      'const require = $createRequire(import.meta.url);',
      'const __dirname = import.meta.dirname, __filename = import.meta.filename;',
    ].join(''),
  },
  logLevel: 'silent',
};

const listExports = `
  // Without it @peculiar/x509 does not load.
  await import('reflect-metadata');
  const exported = async (name) => Object.keys(await import(name)).filter((key) => key !== 'module.exports');
  console.log(JSON.stringify(await Promise.all(JSON.parse(process.argv[1]).map(exported))));
`;

/**
 * An ES module has to name what it exports, which a CommonJS package does only when it runs. It runs in another process, because a
 * test runner may import packages in another way.
 */
async function entriesWithNames(): Promise<Plugin> {
  const argv = ['--input-type=module', '--eval', listExports, JSON.stringify(packages)];
  const { stdout } = await promisify(execFile)(process.execPath, argv, { cwd: fileURLToPath(project) });
  const exported = JSON.parse(stdout) as readonly (readonly string[])[];
  const entries = new Map(
    packages.map((name, index) => [name as string, `export { ${exported[index]?.join(', ')} } from '${name}';`]),
  );
  return {
    name: 'entries with names',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^entry:/ }, ({ path }) => ({ path: path.slice('entry:'.length), namespace: 'entry' }));
      onLoad({ filter: /.*/, namespace: 'entry' }, ({ path }) => ({
        contents: entries.get(path) ?? '',
        resolveDir: fileURLToPath(project),
      }));
    },
  };
}

/** A module that directs the project's own imports to the bundles; packages keep the versions that they depend on. */
function registration(): string {
  const files = Object.fromEntries(packages.map((name) => [name, `${fileOf(name)}.mjs`]));
  return `import { registerHooks } from 'node:module';
const files = new Map(Object.entries(${JSON.stringify(files)}));
const project = new URL('../../../', import.meta.url).href;
const isOwn = (url) => url?.startsWith(project) && !url.includes('/node_modules/', project.length - 1);
registerHooks({
  resolve(specifier, context, nextResolve) {
    const file = files.get(specifier);
    if (file === undefined || !isOwn(context.parentURL)) return nextResolve(specifier, context);
    return { url: new URL(file, import.meta.url).href, format: 'module', shortCircuit: true };
  },
});
`;
}
