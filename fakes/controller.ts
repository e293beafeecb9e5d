import type { CoreV1Api, KubeConfig, KubernetesListObject, KubernetesObject } from '@kubernetes/client-node';
import { makeInformer } from '@kubernetes/client-node';

/** Identifies a namespaced object. */
export interface ObjectKey {
  readonly namespace: string;
  readonly name: string;
}

export const keyOf = ({ metadata }: KubernetesObject): ObjectKey => ({
  namespace: metadata?.namespace ?? '',
  name: metadata?.name ?? '',
});

/** The objects of one kind, kept up to date by a watch until disposed of. */
export interface Informer<T extends KubernetesObject> extends AsyncDisposable {
  get(name: string, namespace?: string): T | undefined;
  list(namespace?: string): readonly T[];
}

export interface WatchedKind<T extends KubernetesObject> {
  readonly path: string;
  readonly list: () => Promise<KubernetesListObject<T>>;
}

/** What each stand-in of a controller is started with. */
export interface ControllerParts {
  readonly kubeConfig: KubeConfig;
  /** Receives one line for each failure that is retried. */
  readonly log: (line: string) => void;
}

/** The kinds that several controllers watch. */
export const coreKinds = (core: CoreV1Api) => ({
  pods: { path: '/api/v1/pods', list: () => core.listPodForAllNamespaces() },
  nodes: { path: '/api/v1/nodes', list: () => core.listNode() },
  claims: {
    path: '/api/v1/persistentvolumeclaims',
    list: () => core.listPersistentVolumeClaimForAllNamespaces(),
  },
  volumes: { path: '/api/v1/persistentvolumes', list: () => core.listPersistentVolume() },
});

const restartAfterMs = 500;
const retryAfterMs = 500;

/** Watches one kind and resolves after the first list. `onChange` receives every object that is added, changed or deleted. */
export async function startInformer<T extends KubernetesObject>({
  kubeConfig,
  path,
  list,
  onChange,
}: WatchedKind<T> & {
  readonly kubeConfig: KubeConfig;
  readonly onChange: (object: T) => void;
}): Promise<Informer<T>> {
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
  informer.on('change', onChange);
  // The client's informer stops after any error, including a lost connection.
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

export type ReconcileResult = 'done' | 'retry';

interface WorkQueue extends AsyncDisposable {
  add(key: ObjectKey): void;
}

/** Works on one key at a time; a key that is added several times before its turn is processed once. */
function startWorkQueue(
  work: (key: ObjectKey) => Promise<ReconcileResult>,
  onError: (key: ObjectKey, error: unknown) => void,
): WorkQueue {
  const pending = new Map<string, ObjectKey>();
  const retries = new Set<NodeJS.Timeout>();
  let stopped = false;
  let running: Promise<void> | undefined;

  const retry = (key: ObjectKey): void => {
    const timer = setTimeout(() => {
      retries.delete(timer);
      add(key);
    }, retryAfterMs);
    retries.add(timer);
  };
  const drain = async (): Promise<void> => {
    for (const [id, key] of pending) {
      if (stopped) return;
      pending.delete(id);
      try {
        if ((await work(key)) === 'retry') retry(key);
      } catch (error) {
        if (stopped) return;
        onError(key, error);
        retry(key);
      }
    }
  };
  const add = (key: ObjectKey): void => {
    if (stopped) return;
    pending.set(`${key.namespace}/${key.name}`, key);
    running ??= drain().finally(() => {
      running = undefined;
      const [next] = pending.values();
      if (next !== undefined) add(next);
    });
  };
  return {
    add,
    async [Symbol.asyncDispose]() {
      stopped = true;
      for (const timer of retries) clearTimeout(timer);
      await running;
    },
  };
}

type Kinds = Readonly<Record<string, KubernetesObject>>;

export type Informers<K extends Kinds> = { readonly [Name in keyof K]: Informer<K[Name]> };

export interface ControllerOptions<K extends Kinds> {
  readonly kubeConfig: KubeConfig;
  readonly kinds: {
    readonly [Name in keyof K]: WatchedKind<K[Name]> & {
      /** What must be reconciled after this object has changed. */
      readonly keys: (object: K[Name], informers: Informers<K>) => readonly ObjectKey[];
    };
  };
  readonly reconcile: (key: ObjectKey, informers: Informers<K>) => Promise<ReconcileResult>;
  /** Called before the key is retried. */
  readonly onError: (key: ObjectKey, error: unknown, informers: Informers<K>) => void;
}

/**
 * Watches some kinds and reconciles the keys that changes concern, until disposed of. Nothing is reconciled before each kind has
 * its first list, since a partial view would make controllers delete things.
 */
export async function startController<K extends Kinds>({
  kubeConfig,
  kinds,
  reconcile,
  onError,
}: ControllerOptions<K>): Promise<AsyncDisposable> {
  await using starting = new AsyncDisposableStack();
  let enqueue: ((name: keyof K, object: K[keyof K]) => void) | undefined;
  const started = await Promise.all(
    Object.keys(kinds).map(async (name: keyof K) => {
      const onChange = (object: K[keyof K]): void => enqueue?.(name, object);
      return [name, starting.use(await startInformer({ kubeConfig, ...kinds[name], onChange }))] as const;
    }),
  );
  const informers = Object.fromEntries(started) as Informers<K>;
  const queue = starting.use(
    startWorkQueue(
      (key) => reconcile(key, informers),
      (key, error) => onError(key, error, informers),
    ),
  );
  enqueue = (name, object) => {
    for (const key of kinds[name].keys(object, informers)) queue.add(key);
  };
  for (const [name, informer] of started) for (const object of informer.list()) enqueue(name, object);
  return starting.move();
}

/** An event about an object, shown by `kubectl describe`. */
export interface ControllerEvent {
  readonly object: KubernetesObject;
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
}

/** Creates Kubernetes events in the name of a component. Failures are ignored, since nothing depends on an event. */
export function eventRecorder(core: CoreV1Api, component: string): (event: ControllerEvent) => Promise<void> {
  return async ({ object, type, reason, message }) => {
    const { apiVersion = '', kind = '', metadata = {} } = object;
    const { name = '', namespace = 'default', uid = '', resourceVersion = '' } = metadata;
    const now = new Date();
    const body = {
      metadata: { generateName: `${name}.`, namespace },
      involvedObject: { apiVersion, kind, name, namespace, uid, resourceVersion },
      type,
      reason,
      message,
      source: { component },
      reportingComponent: component,
      reportingInstance: component,
      firstTimestamp: now,
      lastTimestamp: now,
      count: 1,
    };
    await core.createNamespacedEvent({ namespace, body }).catch(() => undefined);
  };
}
