import { version } from '../../agent/version.ts';

export const repository = 'rekindle/agent';

/** The image of this version, as the manifests name it where no other is asked for. */
export const releasedImage = `${repository}:${version}`;
