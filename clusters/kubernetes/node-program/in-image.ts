import type { HarnessPrograms } from '../../cluster.ts';

/**
 * The folder of the node program's bundle in the image. koffi is not bundled: the image needs `koffi` and
 * `@koromix/koffi-linux-x64` in `/rekindle/node_modules`.
 */
export const bundleInImage = '/rekindle/node-program';

/** Files of the bundle. Programs that enter a mount namespace are CommonJS, because that can be read beforehand. */
export const bundleFiles = {
  session: 'main.cjs',
  enter: 'enter.cjs',
  prober: 'prober.cjs',
} as const;

export const programFiles: Readonly<Record<keyof HarnessPrograms, string>> = {
  probe: 'probe.cjs',
  writer: 'writer.cjs',
  durableWriter: 'durable-writer.cjs',
  secrets: 'secrets.cjs',
  heldFile: 'held-file.cjs',
  mountAttributes: 'mount-attributes.mjs',
  sweep: 'sweep.mjs',
};
