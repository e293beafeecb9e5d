import type { FluidImages } from './pod-objects.ts';

/** Where the harness image has its programs. */
export const inHarnessImage = {
  fuse: '/rekindle/fuse/daemon.cjs',
  controllers: '/rekindle/fluid/controllers.mjs',
  bucket: '/rekindle/store/bucket.mjs',
} as const;

/** What FUSE pods run; the flags of the daemon are added to the command. */
export interface FuseProgram {
  readonly image: string;
  readonly command: readonly string[];
}

/** The fake filesystem, which the harness image has. */
export const fakeFuse = (image: string): FuseProgram => ({ image, command: ['node', inHarnessImage.fuse] });

interface HarnessImages {
  readonly image: string;
  /** As in `OnCluster`. */
  readonly holds: string;
  readonly fuse?: FuseProgram;
}

/** What the pods of a dataset run where containers are real: the harness image, but for a FUSE daemon that others wrote. */
export function harnessImages({ image, holds, fuse = fakeFuse(image) }: HarnessImages): FluidImages {
  const { image: fuseImage, command: fuseCommand } = fuse;
  return {
    fuse: fuseImage,
    worker: image,
    onCluster: { fuseCommand, workerCommand: ['sleep', 'infinity'], holds },
  };
}
