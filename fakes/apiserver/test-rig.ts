import type { KubernetesObject, V1Pod } from '@kubernetes/client-node';
import { ApiException, CoreV1Api, KubeConfig, KubernetesObjectApi, Watch } from '@kubernetes/client-node';
import type { ApiServer, ApiServerOptions } from './api-server.ts';
import { startApiServer } from './api-server.ts';

export const token = 'secret token/1';

export interface Rig extends AsyncDisposable {
  readonly server: ApiServer;
  readonly config: KubeConfig;
  readonly core: CoreV1Api;
  readonly objects: KubernetesObjectApi;
}

/** Starts a server on a free port, with clients for it. */
export async function start(options: Partial<ApiServerOptions> = {}): Promise<Rig> {
  const server = await startApiServer({ port: 0, token, ...options });
  const config = new KubeConfig();
  config.loadFromString(server.kubeConfig());
  return {
    server,
    config,
    core: config.makeApiClient(CoreV1Api),
    objects: KubernetesObjectApi.makeApiClient(config),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

export const pod = (name: string, extra: Partial<V1Pod> = {}): V1Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'default', ...extra.metadata },
  spec: { containers: [{ name: 'main', image: 'nginx' }], ...extra.spec },
});

/** The `Status` with which a call is refused. */
export async function refusal(call: Promise<unknown>): Promise<{ code: number; reason: string; message: string }> {
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof ApiException)) throw new Error(`not refused: ${String(error)}`);
  const raw: unknown = error.body;
  // The client returns no parsed body for a 401.
  const body: { reason?: string; message?: string } = typeof raw === 'string' ? JSON.parse(raw) : (raw ?? {});
  return { code: error.code, reason: body.reason ?? '', message: body.message ?? '' };
}

export interface ReceivedEvent {
  readonly type: string;
  readonly object: KubernetesObject & { readonly code?: number };
}

/** Opens a raw watch: `next()` resolves with its events in order, `ended` when the server ends it. */
export async function openWatch(config: KubeConfig, path: string, query: Record<string, string | number | boolean>) {
  const received: ReceivedEvent[] = [];
  let wake = (): void => {};
  const ended = Promise.withResolvers<void>();
  const controller = await new Watch(config).watch(
    path,
    query,
    (type, object) => {
      received.push({ type, object });
      wake();
    },
    () => ended.resolve(),
  );
  return {
    ended: ended.promise,
    async next(): Promise<ReceivedEvent> {
      for (;;) {
        const first = received.shift();
        if (first) return first;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
    [Symbol.dispose]: () => controller.abort(),
  };
}
