import type { HarnessPrograms } from '../../cluster.ts';

export interface NodeProgramBundle {
  /** Made where it is not there; what is in it may be written over. */
  readonly outdir: string;
  /** Sources of the programs that scenarios start on nodes. */
  readonly programs: HarnessPrograms;
}

/** Writes the node program, and what it starts, as single files: `main.cjs`, `wait.cjs`, and one for each program. */
export async function bundleNodeProgram({ outdir }: NodeProgramBundle): Promise<void> {
  throw new Error(`nothing is bundled into ${outdir} yet`);
}
