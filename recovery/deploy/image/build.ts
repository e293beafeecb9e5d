/**
 * Builds the agent's image with Docker: `node recovery/deploy/image/build.ts [REFERENCE]`; the last line that it prints is the
 * reference, by default `rekindle/agent:<hash of what is in it>`.
 *
 * The bundle is made on this machine, so that nothing is fetched during the build but the base image where it is not there yet.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, globSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { bundle } from '../../agent/bundle.ts';
import { installedPath } from './installed-path.ts';
import { repository } from './reference.ts';

const run = promisify(execFile);
const source = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export interface BuiltImage {
  /** As `rekindle/agent:3f2a90c1d4e5`. */
  readonly reference: string;
  /** As the images' store counts it. */
  readonly bytes: number;
}

/** Builds the image where this machine does not have it yet. Rejects with what Docker says. */
export async function buildAgentImage(options: {
  /** Instead of one that names the content. */
  readonly reference?: string;
  readonly signal?: AbortSignal;
}): Promise<BuiltImage> {
  const signal = options.signal === undefined ? {} : { signal: options.signal };
  const context = mkdtempSync(join(tmpdir(), 'rekindle-image-'));
  try {
    const content = join(context, 'rekindle');
    await bundle(content);
    for (const name of ['koffi', '@koromix/koffi-linux-x64']) copyPackage(name, join(content, 'node_modules', name));
    const reference = options.reference ?? `${repository}:${hashOf(content)}`;
    const known = options.reference === undefined ? await sizeOf(reference, signal) : undefined;
    if (known !== undefined) return { reference, bytes: known };
    const argv = ['build', '--quiet', '--network=none', '--tag', reference, '--file', source('./Dockerfile'), context];
    await run('docker', argv, signal);
    return { reference, bytes: (await sizeOf(reference, signal)) ?? 0 };
  } finally {
    rmSync(context, { recursive: true });
  }
}

/** Of koffi what is loaded: its documentation and what it is compiled from are not. */
function copyPackage(name: string, to: string): void {
  cpSync(installedPath(name), to, {
    recursive: true,
    filter: (path) =>
      statSync(path).isDirectory() ? !/\/(doc|vendor)$/.test(path) : !/\.(md|d\.ts|cc|hh|h|S|asm)$/.test(path),
  });
}

function hashOf(folder: string): string {
  const hash = createHash('sha256').update(readFileSync(source('./Dockerfile')));
  for (const name of globSync('**/*', { cwd: folder }).sort()) {
    const path = join(folder, name);
    if (statSync(path).isFile()) hash.update(`${name}\0`).update(readFileSync(path));
  }
  return hash.digest('hex').slice(0, 12);
}

async function sizeOf(reference: string, options: { readonly signal?: AbortSignal }): Promise<number | undefined> {
  try {
    const { stdout } = await run('docker', ['image', 'inspect', '--format={{.Size}}', reference], options);
    return Number(stdout);
  } catch {
    return undefined;
  }
}

if (import.meta.main) {
  const [reference] = process.argv.slice(2);
  const built = await buildAgentImage(reference === undefined ? {} : { reference });
  process.stderr.write(`${(built.bytes / 1e6).toFixed(0)} MB\n`);
  process.stdout.write(`${built.reference}\n`);
}
