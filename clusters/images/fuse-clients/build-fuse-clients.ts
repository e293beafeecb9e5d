import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CannotRun } from '../../cluster.ts';
import type { Docker } from '../docker.ts';

/** One that is there under this name is used as it is. */
export const fuseClientsImage = 'rekindle/fuse-clients:debian12';

const dockerfile = fileURLToPath(new URL('./Dockerfile', import.meta.url));

/** The image of the FUSE daemons that others wrote, built of Debian's packages where Docker does not have it. @throws CannotRun */
export async function buildFuseClients(docker: Docker): Promise<string> {
  if (await docker.hasImage(fuseClientsImage)) return fuseClientsImage;
  try {
    await docker.build({ reference: fuseClientsImage, dockerfile, context: dirname(dockerfile), network: true });
  } catch (cause) {
    if (!(cause instanceof CannotRun)) throw cause;
    const [failure] = cause.missing;
    const what = `the image ${fuseClientsImage} with s3fs and rclone is not there, and ${failure?.what}`;
    const remedy = 'docker load it, or give Docker a way to Debian’s packages, or leave --daemon away';
    throw new CannotRun([{ what, remedy }], { cause });
  }
  return fuseClientsImage;
}
