import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { sandbox } from '../../../clusters/sandbox/sandbox.ts';
import { sandboxPrefix } from '../../../reports/bench/text.ts';
import type { BenchOptions } from '../../verbs.ts';
import { planOf } from './plan.ts';
import type { SeriesPlan } from './series.ts';

/** The series that a run elsewhere measures in the sandbox, too: under the conditions as they are, none of them varied. */
export function plansInSandbox(options: BenchOptions): readonly SeriesPlan[] {
  if (!options.besideSandbox) return [];
  const { vary: _, ...unvaried } = options;
  return planOf({ ...unvaried, idleMs: 0 }).map((plan) => ({
    ...plan,
    id: `${sandboxPrefix}${plan.id}`,
    inSandbox: true,
  }));
}

/** Where it runs, and the folder for what it writes, which is made. */
export function sandboxIn(resultsDir: string) {
  const folder = join(resultsDir, 'sandbox');
  mkdirSync(folder);
  return { cluster: sandbox, folder };
}
