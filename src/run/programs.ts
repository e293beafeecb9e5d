import { fileURLToPath } from 'node:url';
import type { HarnessPrograms } from '../../clusters/cluster.ts';

const observer = (path: string) => fileURLToPath(new URL(`../observers/${path}`, import.meta.url));

/** The programs that a scenario starts on nodes and in containers. */
export const harnessPrograms: HarnessPrograms = {
  probe: observer('probe/main.ts'),
  writer: observer('writer.ts'),
  secrets: observer('secrets.ts'),
  mountAttributes: observer('mount-attributes.ts'),
  heldFile: observer('held-file.ts'),
  sweep: observer('sweep.ts'),
};
