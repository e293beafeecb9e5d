import { createHash, randomUUID } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Plugin } from 'esbuild';

export interface BundleOptions {
  /** TypeScript or compiled files, the script first. Each becomes a file of the same name that ends in `.cjs`. */
  readonly entryPoints: readonly [script: string, ...more: string[]];
  /** Folders whose source files are hashed to decide whether a bundle is up to date. */
  readonly sources: readonly string[];
  /** The folder of bundles. Each is in a subfolder that is named by the hash of its sources. */
  readonly output: string;
  /** Packages that are not bundled because they have a native library. They are resolved from a node_modules folder above. */
  readonly external?: readonly string[];
  readonly plugins?: readonly Plugin[];
}

/** There is no esbuild, or the folder cannot be written. */
const expectedErrors: ReadonlySet<string> = new Set(['ERR_MODULE_NOT_FOUND', 'EACCES', 'EROFS', 'ENOSPC']);

/**
 * Bundles a script into one file on demand, since it starts several times slower from separate TypeScript files. Returns the path of the
 * bundle, or of the script itself if it cannot be bundled.
 */
export async function bundleScript(options: BundleOptions): Promise<string> {
  const [script] = options.entryPoints;
  const folder = join(options.output, hashSources(options.sources));
  const bundled = join(folder, basename(script).replace(/\.[jt]s$/, '.cjs'));
  return existsSync(bundled) || (await bundle(options, folder, bundled)) ? bundled : script;
}

/** Creates the folder atomically, because several processes may do so at once. */
async function bundle(options: BundleOptions, folder: string, bundled: string): Promise<boolean> {
  // Process ids are not unique: each process may be process 1 of its own PID namespace.
  const unfinished = `${folder}.${randomUUID()}`;
  try {
    const { build } = await import('esbuild');
    await build({
      entryPoints: [...options.entryPoints],
      outdir: unfinished,
      outExtension: { '.js': '.cjs' },
      bundle: true,
      // CommonJS starts about 10 ms faster than ES modules.
      format: 'cjs',
      platform: 'node',
      target: 'node24',
      minify: true,
      keepNames: true,
      banner: { js: "const $url=require('node:url').pathToFileURL(__filename).href;" },
      define: { 'import.meta.url': '$url' },
      external: ['*.node', ...(options.external ?? [])],
      plugins: [...(options.plugins ?? [])],
      logLevel: 'silent',
    });
    await rename(unfinished, folder);
    return true;
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    if (existsSync(bundled)) return true;
    if (expectedErrors.has((error as NodeJS.ErrnoException).code ?? '')) return false;
    throw error;
  }
}

function hashSources(folders: readonly string[]): string {
  const hash = createHash('sha256');
  for (const folder of folders) {
    for (const name of readdirSync(folder).sort()) {
      if (!/(?<!\.test|\.d)\.[jt]s$/.test(name)) continue;
      hash.update(`${name}\0`).update(readFileSync(join(folder, name)));
    }
  }
  return hash.digest('hex').slice(0, 12);
}
