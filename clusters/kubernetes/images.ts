import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { minioImage } from '../../fakes/store/minio-objects.ts';
import { hashContext } from '../../recovery/deploy/image/build-context.ts';
import { CannotRun, type HarnessPrograms, type StartOptions } from '../cluster.ts';
import type { Docker } from './docker.ts';

/** The application image of the documented pods. */
const applicationImage = 'nginx:stable';

/** An image that already has this name is used as it is. */
const fuseClientsImage = 'rekindle/fuse-clients:debian12';

const imageFile = (name: string) => fileURLToPath(new URL(`./image/${name}`, import.meta.url));

export interface RunImages {
  readonly harness: string;
  readonly agent: string;
  /** Has the FUSE daemons of other authors. Absent: none was requested. */
  readonly fuseClients?: string;
  /** All images that the nodes need, including the ones above. */
  readonly all: readonly string[];
}

/** Builds our images, and pulls the others, unless Docker has them. @throws CannotRun */
export async function prepareImages(
  docker: Docker,
  { programs, daemon, signal }: Pick<StartOptions, 'daemon' | 'signal'> & { readonly programs: HarnessPrograms },
): Promise<RunImages> {
  const others = [minioImage, applicationImage];
  for (const reference of others) if (!(await docker.hasImage(reference))) await docker.pull(reference);
  const fuseClients = daemon && (await buildFuseClients(docker));
  try {
    const { buildAgentImage } = await import('../../recovery/deploy/image/build.ts');
    const harness = await buildHarnessImage(docker, programs);
    const { reference: agent } = await buildAgentImage({ signal });
    const all = [harness, agent, ...(fuseClients ? [fuseClients] : []), ...others];
    return { harness, agent, ...(fuseClients && { fuseClients }), all };
  } catch (error) {
    throw explainMissingModule(error);
  }
}

/** A checkout has esbuild. An installed package does without, because everything that the sandbox needs is bundled there. */
function explainMissingModule(error: unknown): unknown {
  if (!(error instanceof Error) || (error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') return error;
  const what = `the images cannot be built, as a module is missing (${error.message.split('\n')[0]})`;
  return new CannotRun([{ what, remedy: 'run it from a checkout of the sources after npm ci' }], { cause: error });
}

/** Builds `rekindle/harness:<hash of its content>` unless Docker has it. Returns the reference. @throws CannotRun */
export async function buildHarnessImage(docker: Docker, programs: HarnessPrograms): Promise<string> {
  // esbuild is a development dependency, which the sandbox does without.
  const { stageHarness } = await import('./image/stage-harness.ts');
  const dockerfile = imageFile('Dockerfile');
  const context = mkdtempSync(join(tmpdir(), 'rekindle-image-'));
  try {
    await stageHarness(context, programs);
    const reference = `rekindle/harness:${hashContext(dockerfile, context)}`;
    if (!(await docker.hasImage(reference))) await docker.build({ reference, dockerfile, context });
    return reference;
  } finally {
    rmSync(context, { recursive: true });
  }
}

/** Builds the image of s3fs and rclone from Debian's packages unless Docker has it. @throws CannotRun */
export async function buildFuseClients(docker: Docker): Promise<string> {
  if (await docker.hasImage(fuseClientsImage)) return fuseClientsImage;
  const dockerfile = imageFile('fuse-clients.Dockerfile');
  try {
    await docker.build({ reference: fuseClientsImage, dockerfile, context: dirname(dockerfile), network: true });
  } catch (cause) {
    if (!(cause instanceof CannotRun)) throw cause;
    const [failure] = cause.missing;
    const what = `the image ${fuseClientsImage} with s3fs and rclone is missing, and ${failure?.what}`;
    const remedy = 'docker load it, or give Docker a way to Debian’s packages, or omit --daemon';
    throw new CannotRun([{ what, remedy }], { cause });
  }
  return fuseClientsImage;
}

export interface ImageLoad {
  readonly docker: Docker;
  readonly references: readonly string[];
  readonly runId: string;
  /** Full names of the images that every node has. */
  readonly present: () => Promise<ReadonlySet<string>>;
  readonly load: (archive: string) => Promise<void>;
}

/** Brings the images that are not present to the nodes, in one archive, which stores shared layers once. */
export async function loadImages({ docker, references, runId, present, load }: ImageLoad): Promise<void> {
  const existing = await present();
  const missing = references.filter((reference) => !existing.has(fullName(reference)));
  if (missing.length === 0) return;
  const folder = mkdtempSync(join(tmpdir(), `rekindle-${runId}-images-`));
  try {
    const archive = join(folder, 'images.tar');
    await docker.save(missing, archive);
    await load(archive);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** `nginx:stable` is `docker.io/library/nginx:stable` to containerd. */
function fullName(reference: string): string {
  const [first = '', ...rest] = reference.split('/');
  if (rest.length === 0) return `docker.io/library/${reference}`;
  return /[.:]|^localhost$/.test(first) ? reference : `docker.io/${reference}`;
}
