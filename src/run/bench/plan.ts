import type { BenchConditions, BenchOptions } from '../../verbs.ts';
import { armsOf } from './arms.ts';
import type { SeriesPlan } from './series.ts';

/** All series of a benchmark in the order in which they are measured: for each point its arms, so that these stand close. */
export function planOf(options: BenchOptions): readonly SeriesPlan[] {
  const { agentCpuMillis, kernelTier, vary } = options;
  return (vary?.points ?? [{}]).flatMap((point) => {
    const { fault, pods, datasets, rate, pacingMs }: BenchConditions = { ...options, ...point };
    const prefix = vary ? `${vary.name}=${Object.values(point)[0]}/` : '';
    const conditions = {
      ...{ fault, pods, datasets, rate, pacingMs },
      ...(agentCpuMillis !== undefined && { agentCpuMillis }),
      ...(kernelTier !== undefined && { kernelTier }),
    };
    return armsOf(options, conditions).map((arm) => ({
      id: `${prefix}${arm.name}`,
      arm,
      conditions,
      idleMs: options.idleMs,
    }));
  });
}
