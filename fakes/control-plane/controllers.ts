import type { KubeConfig } from '@kubernetes/client-node';
import { startFluid } from '../fluid/reconciler.ts';
import { startScheduler } from './scheduler.ts';
import { startVolumeBinder } from './volume-binder.ts';

/** Starts the scheduler, the volume binder and Fluid's controllers, until disposed of. */
export async function startControllers(options: {
  readonly kubeConfig: KubeConfig;
  /** Receives one line for each failure that is retried. */
  readonly log: (line: string) => void;
  /** As of `FluidOptions`. */
  readonly mountRoot?: string | undefined;
}): Promise<AsyncDisposable> {
  await using starting = new AsyncDisposableStack();
  await Promise.all(
    [startVolumeBinder, startScheduler, startFluid].map(async (start) => starting.use(await start(options))),
  );
  return starting.move();
}
