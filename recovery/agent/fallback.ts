import type { Engine } from '../engine/engine.ts';
import {
  containerOf,
  FallbackLimits,
  type FallbackStep,
  fallbackAnnotation,
  planFallbacks,
  undecidedNamespaces,
} from '../engine/fallback.ts';
import type { Container, Decision, Nanoseconds } from '../engine/model.ts';
import type { ClockPort, KubernetesPort, Recorder, Result } from '../engine/ports.ts';
import { objectAt, texts } from '../kubernetes/json.ts';
import { ApiError, type Transport } from '../kubernetes/transport.ts';
import { formatError } from '../log.ts';

export interface FallbackOptions {
  readonly engine: Pick<Engine, 'status' | 'unhealthy'>;
  readonly kubernetes: Pick<KubernetesPort, 'view'>;
  readonly kernel: {
    containers(scope: 'known'): readonly Container[];
    endContainer(container: Container, signal: 'SIGTERM' | 'SIGKILL'): Result<void>;
  };
  readonly transport: Pick<Transport, 'json'>;
  readonly clock: ClockPort;
  readonly recorder: Recorder;
}

const seconds = (count: number) => BigInt(count * 1e9) as Nanoseconds;
/** How often it looks at the sites that are left alone. */
const interval = seconds(2);
/** How long the annotation of a namespace is believed. */
const namespaceAge = seconds(30);
/** How long a container may take to end after SIGTERM, as by default at the kubelet. */
const grace = seconds(30);

type FallbackResult = Extract<Decision, { event: 'fallback' }>['result'];

/**
 * Restarts containers and evicts pods that recovery leaves alone and that ask for it (`planFallbacks`), one at a time. An eviction
 * names the pod's UID, so a namesake is never meant, and goes through the Eviction API, which enforces PodDisruptionBudgets.
 */
export function startFallback(options: FallbackOptions): AsyncDisposable {
  const { engine, kubernetes, kernel, transport, clock, recorder } = options;
  const ended = new AbortController();
  const limits = new FallbackLimits();
  const namespaces = new Map<string, { readonly asks: string | undefined; readonly readAt: Nanoseconds }>();
  /** What was last reported of a pod, so that nothing is reported twice. */
  const reported = new Map<string, string>();
  let timer: Disposable | undefined;
  let running: Promise<void> = Promise.resolve();

  const schedule = () => {
    timer = clock.after(interval, () => {
      running = tick()
        .catch(() => {})
        .finally(() => {
          if (!ended.signal.aborted) schedule();
        });
    });
  };
  schedule();
  return {
    async [Symbol.asyncDispose]() {
      ended.abort();
      timer?.[Symbol.dispose]();
      await running;
    },
  };

  async function tick(): Promise<void> {
    const { pods } = kubernetes.view();
    const byUid = new Map(pods.map((pod) => [pod.uid, pod]));
    limits.retain(new Set(byUid.keys()));
    for (const uid of reported.keys()) if (!byUid.has(uid)) reported.delete(uid);
    if (engine.unhealthy().length === 0) return;
    const pod = (uid: string) => byUid.get(uid);
    await readNamespaces(undecidedNamespaces({ volumes: engine.status(), pod }));
    // Time has passed, and a daemon may have died meanwhile.
    const facts = { volumes: engine.status(), pod, namespaceAsks: (name: string) => namespaces.get(name)?.asks };
    const steps = planFallbacks({ ...facts, now: clock.now() });
    for (const step of steps) if (step.refusal !== undefined) report(step, 'refused', step.refusal);
    const due = steps.find((step) => step.refusal === undefined && limits.allows(step, clock.now()));
    if (due === undefined || ended.signal.aborted) return;
    const { result, detail } = await (due.kind === 'evict' ? evict(due) : restart(due));
    limits.count(due, clock.now(), result === 'done');
    report(due, result, detail);
  }

  function report({ kind, pod, volume, site }: FallbackStep, result: FallbackResult, detail: string): void {
    const text = `${kind} ${result} ${detail}`;
    if (result !== 'done' && reported.get(pod.uid) === text) return;
    reported.set(pod.uid, text);
    recorder({ event: 'fallback', kind, result, volume, site, detail });
  }

  async function readNamespaces(wanted: ReadonlySet<string>): Promise<void> {
    for (const name of namespaces.keys()) if (!wanted.has(name)) namespaces.delete(name);
    for (const name of wanted) {
      const known = namespaces.get(name);
      if (known !== undefined && clock.now() - known.readAt < namespaceAge) continue;
      const path = `/api/v1/namespaces/${name}`;
      // Pods that ask for themselves need no namespace.
      const object = await transport.json({ method: 'GET', path, signal: ended.signal }).catch(() => ({}));
      const asks = texts(objectAt(object, 'metadata', 'annotations'))[fallbackAnnotation];
      namespaces.set(name, { asks, readAt: clock.now() });
    }
  }

  async function evict({ pod }: FallbackStep): Promise<{ readonly result: FallbackResult; readonly detail: string }> {
    const { namespace, name, uid } = pod;
    const path = `/api/v1/namespaces/${namespace}/pods/${name}/eviction`;
    const deleteOptions = { preconditions: { uid } };
    const value = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { namespace, name }, deleteOptions };
    const body = { contentType: 'application/json', value };
    try {
      await transport.json({ method: 'POST', path, body, signal: ended.signal });
      return { result: 'done', detail: `${namespace}/${name} was evicted, so that its controller creates it anew` };
    } catch (error) {
      const status = error instanceof ApiError ? error.status : undefined;
      if (status === 429)
        return {
          result: 'postponed',
          detail: 'its PodDisruptionBudget does not allow to evict it now: it is tried again',
        };
      if (status === 404 || status === 409) return { result: 'postponed', detail: 'the pod has changed or is gone' };
      const remedy = status === 403 ? ': deploy the agent with --fallback, which grants pods/eviction' : '';
      return { result: 'failed', detail: `${formatError(error)}${remedy}` };
    }
  }

  async function restart(step: FallbackStep): Promise<{ readonly result: FallbackResult; readonly detail: string }> {
    const container = containerOf(step, kernel.containers('known'));
    if (container === undefined) return { result: 'postponed', detail: 'its container has ended meanwhile' };
    const sent = kernel.endContainer(container, 'SIGTERM');
    if (!sent.ok) {
      const { call, errno, step: at } = sent.failure;
      return { result: 'failed', detail: `${call} answered ${errno} at step ${at}: restart the pod by hand` };
    }
    // A process 1 without a handler ignores SIGTERM. The namespace identifies the container, so its successor is not meant.
    clock.after(grace, () => void kernel.endContainer(container, 'SIGKILL'));
    return {
      result: 'done',
      detail: `container ${container.name} was ended, so that the kubelet starts it on the live target path`,
    };
  }
}
