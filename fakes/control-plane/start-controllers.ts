import { KubeConfig } from '@kubernetes/client-node';
import type { FluidImages } from '../fluid/pod-objects.ts';
import { startFluid } from '../fluid/start-fluid.ts';
import { startScheduler } from './start-scheduler.ts';
import { startVolumeBinder } from './start-volume-binder.ts';

/** Starts scheduler, volume binder and Fluid's controllers on the cluster of a kubeconfig, given as text. */
export async function startControllers({
  kubeConfigText,
  log,
  images,
}: {
  readonly kubeConfigText: string;
  readonly log: (line: string) => void;
  readonly images?: FluidImages;
}): Promise<AsyncDisposable> {
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromString(kubeConfigText);
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
