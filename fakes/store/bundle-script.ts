import { createHash, randomUUID } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Plugin } from 'esbuild';

export interface BundleOptions {
  /** TypeScript files, or compiled ones, the script first; each becomes a file of the same name that ends in `.cjs`. */
  readonly entryPoints: readonly [script: string, ...more: string[]];
  /** Folders whose sources decide whether a bundle is still the right one. */
  readonly sources: readonly string[];
  /** Folder of bundles; each is in a folder below it, named by the hash of its sources. */
  readonly output: string;
  /** Packages that stay outside, because of a native library: looked for in a node_modules above. */
  readonly external?: readonly string[];
  readonly plugins?: readonly Plugin[];
}

/** No esbuild (it is a development dependency), or a folder that cannot be written. */
const cannotBundle: ReadonlySet<string> = new Set(['ERR_MODULE_NOT_FOUND', 'EACCES', 'EROFS', 'ENOSPC']);

/**
 * Path of a script as one file, made on demand, because as separate TypeScript files it starts several times slower. Where
 * none can be made it is the path of the script itself, which does the same.
 */
export async function bundleScript(options: BundleOptions): Promise<string> {
  const [script] = options.entryPoints;
  const folder = join(options.output, hashOf(options.sources));
  const bundled = join(folder, basename(script).replace(/\.[jt]s$/, '.cjs'));
  return existsSync(bundled) || (await bundle(options, folder, bundled)) ? bundled : script;
}

/** Makes the folder whole or not at all, because several may do so at once. */
async function bundle(options: BundleOptions, folder: string, bundled: string): Promise<boolean> {
  // Not by the process id: each may be process 1 of a namespace of its own.
  const unfinished = `${folder}.${randomUUID()}`;
  try {
    const { build } = await import('esbuild');
    await build({
      entryPoints: [...options.entryPoints],
      outdir: unfinished,
      outExtension: { '.js': '.cjs' },
      bundle: true,
      // CommonJS starts some 10 ms faster than modules do.
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
    if (cannotBundle.has((error as NodeJS.ErrnoException).code ?? '')) return false;
    throw error;
  }
}

function hashOf(folders: readonly string[]): string {
  const hash = createHash('sha256');
  for (const folder of folders) {
    for (const name of readdirSync(folder).sort()) {
      if (!/(?<!\.test|\.d)\.[jt]s$/.test(name)) continue;
      hash.update(`${name}\0`).update(readFileSync(join(folder, name)));
    }
  }
  return hash.digest('hex').slice(0, 12);
}
