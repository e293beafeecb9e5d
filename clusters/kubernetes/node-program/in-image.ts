import type { HarnessPrograms } from '../../cluster.ts';

/**
 * The folder of the image that holds the node program's bundle, as `bundleNodeProgram` writes it. koffi is not in the bundle: an
 * image needs `koffi` and `@koromix/koffi-linux-x64` in a node_modules above (`/rekindle/node_modules`).
 */
export const bundleInImage = '/rekindle/node-program';

/** The bundle's files. What enters a mount namespace is CommonJS, which can be read before. */
export const bundleFiles = {
  session: 'main.cjs',
  relay: 'relay.cjs',
  enter: 'enter.cjs',
  prober: 'prober.cjs',
} as const;

export const programFiles: Readonly<Record<keyof HarnessPrograms, string>> = {
  probe: 'probe.cjs',
  writer: 'writer.cjs',
  secrets: 'secrets.cjs',
  heldFile: 'held-file.cjs',
  mountAttributes: 'mount-attributes.mjs',
  sweep: 'sweep.mjs',
};
