/**
 * Builds the agent's image with Docker: `node recovery/deploy/image/build.ts [REFERENCE]`. Prints the reference, by default
 * `rekindle/agent:<hash of its content>`.
 *
 * The bundle is built on this machine, so that the build needs no network except to pull the base image.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, globSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { bundle } from '../../agent/bundle.ts';
import { imageRepository } from '../options.ts';
import { installedPath } from './installed-path.ts';

const run = promisify(execFile);
const source = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export interface BuiltImage {
  /** For example `rekindle/agent:3f2a90c1d4e5`. */
  readonly reference: string;
  /** As reported by Docker. */
  readonly bytes: number;
}

/** Builds the image unless this machine has it. Rejects with Docker's error. */
export async function buildAgentImage(options: {
  /** By default the tag is a hash of the content. */
  readonly reference?: string;
  readonly signal?: AbortSignal;
}): Promise<BuiltImage> {
  const signal = options.signal === undefined ? {} : { signal: options.signal };
  const context = mkdtempSync(join(tmpdir(), 'rekindle-image-'));
  try {
    const content = join(context, 'rekindle');
    await bundle(content);
    for (const name of ['koffi', '@koromix/koffi-linux-x64']) copyPackage(name, join(content, 'node_modules', name));
    const reference = options.reference ?? `${imageRepository}:${hashContent(content)}`;
    const existingBytes = options.reference === undefined ? await imageSize(reference, signal) : undefined;
    if (existingBytes !== undefined) return { reference, bytes: existingBytes };
    const argv = ['build', '--quiet', '--network=none', '--tag', reference, '--file', source('./Dockerfile'), context];
    await run('docker', argv, signal);
    return { reference, bytes: (await imageSize(reference, signal)) ?? 0 };
  } finally {
    rmSync(context, { recursive: true });
  }
}

/** Copies a package without its documentation and C sources. */
function copyPackage(name: string, destination: string): void {
  cpSync(installedPath(name), destination, {
    recursive: true,
    filter: (path) =>
      statSync(path).isDirectory() ? !/\/(doc|vendor)$/.test(path) : !/\.(md|d\.ts|cc|hh|h|S|asm)$/.test(path),
  });
}

function hashContent(folder: string): string {
  const hash = createHash('sha256').update(readFileSync(source('./Dockerfile')));
  for (const name of globSync('**/*', { cwd: folder }).sort()) {
    const path = join(folder, name);
    if (statSync(path).isFile()) hash.update(`${name}\0`).update(readFileSync(path));
  }
  return hash.digest('hex').slice(0, 12);
}

async function imageSize(reference: string, options: { readonly signal?: AbortSignal }): Promise<number | undefined> {
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
