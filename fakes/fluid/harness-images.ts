import type { FluidImages } from './pod-objects.ts';

/** Where the harness image has its programs. */
export const inHarnessImage = {
  fuse: '/rekindle/fuse/daemon.cjs',
  controllers: '/rekindle/fluid/controllers.mjs',
  bucket: '/rekindle/store/bucket.mjs',
} as const;

/** What the pods of a dataset run where containers are real: the harness image. `holds`: as in `OnCluster`. */
export function harnessImages({ image, holds }: { readonly image: string; readonly holds: string }): FluidImages {
  return {
    fuse: image,
    worker: image,
    onCluster: { fuseCommand: ['node', inHarnessImage.fuse], workerCommand: ['sleep', 'infinity'], holds },
  };
}
