import type { KubeConfig, KubernetesListObject, KubernetesObject } from '@kubernetes/client-node';
import { makeInformer } from '@kubernetes/client-node';

/** What a watch knows, kept up to date until disposed of. */
export interface Watched<T extends KubernetesObject> extends AsyncDisposable {
  get(name: string, namespace?: string): T | undefined;
  list(namespace?: string): readonly T[];
}

const restartAfterMs = 500;

/** Starts an informer and keeps it going; resolves once it has its first list. `changed` gets every object that changes. */
export async function startWatched<T extends KubernetesObject>({
  kubeConfig,
  path,
  list,
  changed,
}: {
  readonly kubeConfig: KubeConfig;
  readonly path: string;
  readonly list: () => Promise<KubernetesListObject<T>>;
  readonly changed: (object: T) => void;
}): Promise<Watched<T>> {
  let listed = false;
  const informer = makeInformer<T>(kubeConfig, path, async () => {
    const items = await list();
    listed = true;
    return items;
  });
  const synced = Promise.withResolvers<void>();
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  const start = async (): Promise<void> => {
    await informer.start();
    if (listed) synced.resolve();
  };
  informer.on('change', changed);
  // The informer gives up after an error, a lost connection among them.
  informer.on('error', () => {
    if (stopped) return;
    clearTimeout(timer);
    timer = setTimeout(() => void start(), restartAfterMs);
  });
  await start();
  await synced.promise;
  return {
    get: (name, namespace) => informer.get(name, namespace),
    list: (namespace) => informer.list(namespace),
    async [Symbol.asyncDispose]() {
      stopped = true;
      clearTimeout(timer);
      await informer.stop();
    },
  };
}
