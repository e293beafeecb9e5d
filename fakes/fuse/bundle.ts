import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const sources = [here, join(here, '../store/s3')];
const output = join(here, '../../dist/fuse');

/** How the daemon is started: the command, to which its flags are added, and what its environment must hold. */
export interface DaemonProgram {
  readonly command: readonly [node: string, script: string];
  readonly environment: Readonly<Record<string, string>>;
}

/**
 * The daemon as one file, `dist/fuse/<hash of its sources>/daemon.js`, made on demand: as separate TypeScript files it
 * starts several times slower. Where it cannot be made (no esbuild, a folder that cannot be written), it is the sources.
 */
export async function daemonProgram(): Promise<DaemonProgram> {
  const folder = join(output, hashOfSources());
  const script = join(folder, 'daemon.js');
  if (!existsSync(script) && !(await bundle(folder))) {
    return { command: [process.execPath, join(here, 'daemon.ts')], environment: {} };
  }
  return { command: [process.execPath, script], environment: { NODE_COMPILE_CACHE: join(folder, 'compiled') } };
}

/** Makes the folder whole or not at all, because several may do so at once. */
async function bundle(folder: string): Promise<boolean> {
  const unfinished = `${folder}.${process.pid}`;
  try {
    const { build } = await import('esbuild');
    await mkdir(unfinished, { recursive: true });
    await build({
      entryPoints: [join(here, 'daemon.ts')],
      outdir: unfinished,
      bundle: true,
      splitting: true,
      format: 'esm',
      platform: 'node',
      target: 'node24',
      external: ['fuse-native', 'fuse-shared-library', 'koffi'],
      banner: { js: "import{createRequire as $r}from'node:module';const require=$r(import.meta.url);" },
      logLevel: 'silent',
    });
    await rename(unfinished, folder);
    return true;
  } catch {
    await rm(unfinished, { recursive: true, force: true });
    return existsSync(join(folder, 'daemon.js'));
  }
}

function hashOfSources(): string {
  const hash = createHash('sha256');
  for (const folder of sources) {
    for (const name of readdirSync(folder).sort()) {
      if (!name.endsWith('.ts') || name.endsWith('.test.ts')) continue;
      hash.update(`${name}\0`).update(readFileSync(join(folder, name)));
    }
  }
  return hash.digest('hex').slice(0, 12);
}
