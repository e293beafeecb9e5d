import type { KubeConfig } from '@kubernetes/client-node';
import type { FluidImages } from '../fluid/pod-objects.ts';
import { startFluid } from '../fluid/start-fluid.ts';
import { startScheduler } from './start-scheduler.ts';
import { startVolumeBinder } from './start-volume-binder.ts';

/** Starts scheduler, volume binder and Fluid's controllers on a cluster. */
export async function startControllers({
  kubeConfig,
  log,
  images,
}: {
  readonly kubeConfig: KubeConfig;
  readonly log: (line: string) => void;
  readonly images?: FluidImages;
}): Promise<AsyncDisposable> {
  await using starting = new AsyncDisposableStack();
  const use = <T extends AsyncDisposable>(part: T): T => starting.use(part);
  await Promise.all([
    startVolumeBinder({ kubeConfig, log }).then(use),
    startScheduler({ kubeConfig, log }).then(use),
    startFluid({ kubeConfig, log, ...(images ? { images } : {}) }).then(use),
  ]);
  const kept = starting.move();
  return { [Symbol.asyncDispose]: () => kept.disposeAsync() };
}
