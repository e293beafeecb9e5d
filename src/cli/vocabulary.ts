import { fileURLToPath } from 'node:url';
import type { Vocabulary } from './context.ts';
import { featureTags } from './feature-tags.ts';

/** The names that this version knows. What is heavy to load is loaded when it is asked for. */
export const vocabulary: Vocabulary = {
  // Not asked of the scenario engine: its native libraries may not load here, which is to be said in its own words.
  clusters: () => ['sandbox', 'kind', 'minikube', 'existing'],
  profiles: async () => (await import('../profiles/load-profile.ts')).profileNames(),
  negativeProfiles: async () => (await import('../profiles/load-profile.ts')).negativeProfileNames(),
  faults: async () => (await import('../faults/catalogue.ts')).crashFaults,
  companions: async () => (await import('../faults/catalogue.ts')).companions,
  tags: () => featureTags(fileURLToPath(new URL('../../features', import.meta.url))),
  checkProfile: async (path) => {
    const { loadProfile } = await import('../profiles/load-profile.ts');
    await loadProfile(path, '/');
  },
};
