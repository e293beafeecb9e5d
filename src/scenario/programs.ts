import { fileURLToPath } from 'node:url';
import type { HarnessPrograms } from '../../clusters/cluster.ts';

const source = (folder: string) => fileURLToPath(new URL(`../${folder}/main.ts`, import.meta.url));

/** The programs that a scenario starts on nodes and in containers. */
export const harnessPrograms: HarnessPrograms = {
  probe: source('probe'),
  writer: source('writer'),
  secrets: source('secrets'),
  mountAttributes: source('mount-attributes'),
  heldFile: source('held-file'),
  sweep: source('sweep'),
};
