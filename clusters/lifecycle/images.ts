import { minioImage } from '../../fakes/store/start-minio-container.ts';
import { buildAgentImage } from '../../recovery/deploy/image/build.ts';
import type { HarnessPrograms } from '../cluster.ts';
import type { Docker } from '../images/docker.ts';
import { buildHarnessImage } from '../images/harness/build-harness-image.ts';

/** What the documents' pods run, where a user's would run the document's. */
const applicationImage = 'nginx:stable';

export interface RunImages {
  readonly harness: string;
  readonly agent: string;
  /** All that nodes need, these two among them. */
  readonly all: readonly string[];
}

/** Builds the images that are ours and brings those that are not, where Docker does not have them yet. @throws CannotRun */
export async function prepareImages(
  docker: Docker,
  { programs, signal }: { readonly programs: HarnessPrograms; readonly signal: AbortSignal },
): Promise<RunImages> {
  const others = [minioImage, applicationImage];
  for (const reference of others) if (!(await docker.hasImage(reference))) await docker.pull(reference);
  const harness = await buildHarnessImage(docker, programs);
  const { reference: agent } = await buildAgentImage({ signal });
  return { harness, agent, all: [harness, agent, ...others] };
}
