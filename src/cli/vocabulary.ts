import { fileURLToPath } from 'node:url';
import type { Vocabulary } from './context.ts';
import { featureTags } from './feature-tags.ts';

/** The names that this version knows. */
export const vocabulary: Vocabulary = {
  clusters: () => ['sandbox'],
  profiles: async () => ['rekindle'],
  faults: async () => ['kill-1', 'sigkill'],
  tags: () => featureTags(fileURLToPath(new URL('../../features', import.meta.url))),
  checkProfile: async () => undefined,
};
