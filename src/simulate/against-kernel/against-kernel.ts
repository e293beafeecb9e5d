import { release } from 'node:os';
import { detectTier, effectiveTier } from '../../../recovery/linux/kernel-tier.ts';
import { seededRandom } from '../../../reports/bench/statistics.ts';
import type { SimulatedFailure, SimulationOrder } from '../protocol.ts';
import { shrink } from '../shrink.ts';
import { compare } from './compare.ts';
import { drawHistory, type MountStep } from './history.ts';
import { MachineFailed, openMachineContext, taken } from './machine.ts';
import { createModelledMachine } from './modelled-machine.ts';
import { openRealMachine } from './real-machine.ts';

/**
 * Compares a modelled kernel of the running one's release with it, history by history. Needs root, or the rights of a user
 * namespace.
 * @throws MachineFailed if the kernel refuses what every history needs, or does not offer the tier
 */
export function startComparing({
  steps,
  tier: forced,
  history: given,
}: Pick<SimulationOrder, 'steps' | 'tier' | 'history'>) {
  const real = openRealMachine();
  const kernel = { machine: real, context: openMachineContext(real.sys) };
  const offered = taken(detectTier(real.sys, kernel.context.staging));
  const effective = effectiveTier(offered, forced);
  if (!effective.ok) throw new MachineFailed({ ...effective.failure, path: `for tier ${forced}` });
  const tier = effective.value;
  const modelled = createModelledMachine(release(), real);
  const model = { machine: modelled, context: openMachineContext(modelled.sys) };
  return {
    async run(seed: number): Promise<{ readonly steps: number; readonly failure?: SimulatedFailure }> {
      const history = (given as readonly MountStep[] | undefined) ?? drawHistory(seededRandom(seed), steps);
      const first = await compare(kernel, model, history, tier);
      if (first.divergence === undefined) return { steps: first.steps };
      const divergenceOf = async (shorter: typeof history) => (await compare(kernel, model, shorter, tier)).divergence;
      const short = await shrink(history.slice(0, first.divergence.step + 1), async (shorter) => {
        const found = await divergenceOf(shorter);
        return found === undefined ? undefined : found.step + 1;
      });
      const { kernel: seen, model: expected } = (await divergenceOf(short)) ?? first.divergence;
      const story = [
        ...short.map((step) => JSON.stringify(step)),
        ...['the kernel:', ...seen.split('\n'), 'the model:', ...expected.split('\n')],
      ];
      return {
        steps: first.steps,
        failure: { seed, message: 'kernel and model differ', story, steps: short },
      };
    },
    [Symbol.dispose]() {
      real[Symbol.dispose]();
      modelled[Symbol.dispose]();
    },
  };
}
