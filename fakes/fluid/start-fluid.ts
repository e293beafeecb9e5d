import type { KubeConfig } from '@kubernetes/client-node';
import { ApiException } from '@kubernetes/client-node';
import { stepApplier } from './apply-step.ts';
import type { Caches, Changed } from './caches.ts';
import { startCaches } from './caches.ts';
import { concerned } from './concerned.ts';
import { startKeyQueue } from './key-queue.ts';
import type { DatasetKey } from './naming.ts';
import { plan } from './plan.ts';
import type { FluidImages } from './pod-objects.ts';
import { defaultImages } from './pod-objects.ts';
import { viewOf } from './view-of.ts';

export interface FluidOptions {
  readonly kubeConfig: KubeConfig;
  /** Takes one line for each thing that did not work and is tried again. */
  readonly log: (line: string) => void;
  readonly images?: FluidImages;
}

const describe = (error: unknown): string => {
  if (error instanceof ApiException) return `${error.code} ${JSON.stringify(error.body)}`;
  return error instanceof Error ? error.message : String(error);
};

/** Runs Fluid's controllers for Datasets and JindoRuntimes through the real client, until disposed of. */
export async function startFluid({ kubeConfig, log, images = defaultImages }: FluidOptions): Promise<AsyncDisposable> {
  await using starting = new AsyncDisposableStack();
  const apply = stepApplier(kubeConfig);
  let caches: Caches | undefined;

  const reconcile = async (key: DatasetKey): Promise<'done' | 'again'> => {
    if (!caches) return 'again';
    for (const step of plan(viewOf(caches, key), images, new Date().toISOString())) {
      if ((await apply(step)) === 'overtaken') return 'again';
    }
    return 'done';
  };
  const queue = startKeyQueue(
    (key) => {
      const [namespace = '', name = ''] = key.split('/');
      return reconcile({ namespace, name });
    },
    (key, error) => log(`dataset ${key}: ${describe(error)}`),
  );
  const enqueue = (change: Changed): void => {
    for (const { namespace, name } of concerned(change, caches?.datasets.list() ?? []))
      queue.add(`${namespace}/${name}`);
  };
  // Until all caches have their first list nothing is decided: half a view would take things away.
  const started = starting.use(await startCaches(kubeConfig, (change) => (caches ? enqueue(change) : undefined)));
  starting.use(queue);
  caches = started;
  for (const object of started.datasets.list()) enqueue({ in: 'datasets', object });
  for (const object of started.runtimes.list()) enqueue({ in: 'runtimes', object });
  for (const object of started.volumes.list()) enqueue({ in: 'volumes', object });
  for (const object of started.claims.list()) enqueue({ in: 'claims', object });
  for (const object of started.pods.list()) enqueue({ in: 'pods', object });
  const kept = starting.move();
  return { [Symbol.asyncDispose]: () => kept.disposeAsync() };
}
