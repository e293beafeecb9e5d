import { formatError } from '../../../recovery/log.ts';
import { seededRandom } from '../../../reports/bench/statistics.ts';
import type { SimulatedFailure, SimulationOrder } from '../protocol.ts';
import { shrink } from '../shrink.ts';
import { isDeath } from './modelled-agent.ts';
import { drawNodeHistory, type NodeStep } from './node-history.ts';
import { runNodeHistory } from './simulated-run.ts';

/** Runs histories of a modelled node, one after another. */
export function startSimulating({
  steps,
  tier = '6.5',
  history: given,
}: Pick<SimulationOrder, 'steps' | 'tier' | 'history'>) {
  // The agent dies out of its own calls, so its passes reject with nobody to see it.
  let rejection: unknown;
  const onRejection = (error: unknown) => {
    if (!isDeath(error)) rejection ??= error;
  };
  process.on('unhandledRejection', onRejection);
  const runOnce = async (history: readonly NodeStep[]) => {
    rejection = undefined;
    const run = await runNodeHistory(history, tier);
    return rejection === undefined ? run : { ...run, violation: `the agent failed: ${formatError(rejection)}` };
  };
  return {
    async run(seed: number): Promise<{ readonly steps: number; readonly failure?: SimulatedFailure }> {
      const history = (given as readonly NodeStep[] | undefined) ?? drawNodeHistory(seededRandom(seed), steps);
      const first = await runOnce(history);
      if (first.violation === undefined) return { steps: first.steps };
      const short = await shrink(history.slice(0, first.steps), async (shorter) => {
        const again = await runOnce(shorter);
        return again.violation === undefined ? undefined : again.steps;
      });
      const shown = await runOnce(short);
      return {
        steps: first.steps,
        failure: { seed, message: shown.violation ?? first.violation, story: shown.story, steps: short },
      };
    },
    [Symbol.dispose]: () => void process.off('unhandledRejection', onRejection),
  };
}
