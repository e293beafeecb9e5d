/**
 * Builds the agent's image with Docker: `node recovery/deploy/image/build.ts [REFERENCE]`, for the processor of this machine. Prints the
 * reference, by default `rekindle/agent:<hash of its content>`.
 *
 * The bundle is built on this machine, so that the build needs no network except to pull the base image.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { bundle } from '../../agent/bundle.ts';
import { imageRepository } from '../options.ts';
import { copyKoffi, hashContext, libraryArguments } from './build-context.ts';

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
  readonly signal?: AbortSignal;
}): Promise<BuiltImage> {
  const { signal } = options;
  const context = mkdtempSync(join(tmpdir(), 'rekindle-image-'));
  try {
    const content = join(context, 'rekindle');
    await bundle(content);
    copyKoffi(join(content, 'node_modules'));
    const reference = options.reference ?? `${imageRepository}:${hashContext(dockerfile, content)}`;
    const existingBytes = options.reference === undefined ? await imageSize(reference, signal) : undefined;
    if (existingBytes !== undefined) return { reference, bytes: existingBytes };
    const own = ['--tag', reference, '--file', dockerfile, ...libraryArguments()];
    const argv = ['build', '--quiet', '--network=none', ...own, context];
    await execa('docker', argv, { ...(signal && { cancelSignal: signal }) });
    return { reference, bytes: (await imageSize(reference, signal)) ?? 0 };
  } finally {
    rmSync(context, { recursive: true });
  }
}

async function imageSize(reference: string, signal: AbortSignal | undefined): Promise<number | undefined> {
  const argv = ['image', 'inspect', '--format={{.Size}}', reference];
  const { failed, stdout } = await execa('docker', argv, { reject: false, ...(signal && { cancelSignal: signal }) });
  return failed ? undefined : Number(stdout);
}

if (import.meta.main) {
  const [, , reference] = process.argv;
  const built = await buildAgentImage(reference === undefined ? {} : { reference });
  process.stderr.write(`${(built.bytes / 1e6).toFixed(0)} MB\n`);
  process.stdout.write(`${built.reference}\n`);
}
