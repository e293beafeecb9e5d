import { minioImage } from '../../fakes/store/start-minio-container.ts';
import { CannotRun, type HarnessPrograms, type StartOptions } from '../cluster.ts';
import type { Docker } from '../images/docker.ts';
import { buildFuseClients } from '../images/fuse-clients/build-fuse-clients.ts';
import { buildHarnessImage } from '../images/harness/build-harness-image.ts';

/** What the documents' pods run, where a user's would run the document's. */
const applicationImage = 'nginx:stable';

export interface RunImages {
  readonly harness: string;
  readonly agent: string;
  /** Of the FUSE daemons that others wrote, where one is asked for. */
  readonly fuseClients?: string;
  /** All that nodes need, these two among them. */
  readonly all: readonly string[];
}

/** Builds the images that are ours and brings those that are not, where Docker does not have them yet. @throws CannotRun */
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
    throw withoutBundler(error);
  }
}

/** esbuild is there in a checkout; an installed package does without, as all that the sandbox needs has been bundled. */
function withoutBundler(error: unknown): unknown {
  if (!(error instanceof Error) || (error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') return error;
  const what = `the images cannot be built, as a module is missing (${error.message.split('\n')[0]})`;
  return new CannotRun([{ what, remedy: 'run it from a checkout of the sources after npm ci' }], { cause: error });
}
