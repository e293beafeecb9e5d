/**
 * Builds the agent's image with Docker: `node recovery/deploy/image/build.ts [REFERENCE [x64|arm64]]`. Prints the reference, by default
 * `rekindle/agent:<hash of its content>`, and for the processor of this machine.
 *
 * The bundle is built on this machine, so that the build needs no network except to pull the base image, and for another processor to
 * install its packages, as package-lock.json names them. Nothing of the image is run, so that no emulator is needed.
 */
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { bundle } from '../../agent/bundle.ts';
import { imageRepository } from '../options.ts';
import { copyKoffi, dockerArguments, hashContext, type Processor } from './build-context.ts';

const dockerfile = fileURLToPath(new URL('./Dockerfile', import.meta.url));

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
  /** By default that of this machine. */
  readonly processor?: Processor;
  readonly signal?: AbortSignal;
}): Promise<BuiltImage> {
  const { processor = process.arch as Processor, signal } = options;
  const context = mkdtempSync(join(tmpdir(), 'rekindle-image-'));
  try {
    const content = join(context, 'rekindle');
    await bundle(content);
    const modules = join(content, 'node_modules');
    if (processor === process.arch) copyKoffi(modules);
    else await withPackagesFor(processor, (packages) => copyKoffi(modules, processor, (name) => join(packages, name)));
    const reference = options.reference ?? `${imageRepository}:${hashContext(dockerfile, content)}`;
    const existingBytes = options.reference === undefined ? await imageSize(reference, signal) : undefined;
    if (existingBytes !== undefined) return { reference, bytes: existingBytes };
    const own = dockerArguments(processor);
    const argv = ['build', ...own, '--quiet', '--network=none', '--tag', reference, '--file', dockerfile, context];
    await execa('docker', argv, { ...(signal && { cancelSignal: signal }) });
    return { reference, bytes: (await imageSize(reference, signal)) ?? 0 };
  } finally {
    rmSync(context, { recursive: true });
  }
}

/** Installs the packages of another processor, and removes them when `use` has returned. */
async function withPackagesFor(processor: Processor, use: (nodeModules: string) => void): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'rekindle-packages-'));
  try {
    for (const name of ['package.json', 'package-lock.json'])
      copyFileSync(fileURLToPath(new URL(`../../../${name}`, import.meta.url)), join(folder, name));
    const settings = ['--omit=dev', '--ignore-scripts', '--prefer-offline', '--os=linux', `--cpu=${processor}`];
    await execa('npm', ['ci', ...settings], { cwd: folder });
    use(join(folder, 'node_modules'));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function imageSize(reference: string, signal: AbortSignal | undefined): Promise<number | undefined> {
  const argv = ['image', 'inspect', '--format={{.Size}}', reference];
  const { failed, stdout } = await execa('docker', argv, { reject: false, ...(signal && { cancelSignal: signal }) });
  return failed ? undefined : Number(stdout);
}

if (import.meta.main) {
  const [reference, processor] = process.argv.slice(2);
  const built = await buildAgentImage({
    ...(reference !== undefined && { reference }),
    ...(processor !== undefined && { processor: processor as Processor }),
  });
  process.stderr.write(`${(built.bytes / 1e6).toFixed(0)} MB\n`);
  process.stdout.write(`${built.reference}\n`);
}
