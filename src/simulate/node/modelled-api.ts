import { PassThrough } from 'node:stream';
import { driverName, type Nanoseconds, type Pod, type Volume } from '../../../recovery/engine/model.ts';
import type { ModelledClock } from '../../../recovery/engine/testing/modelled-clock.ts';
import { ApiError, type ApiRequest, ApiTimeout, type Transport } from '../../../recovery/kubernetes/transport.ts';
import { type ModelledNode, milliseconds } from './modelled-node.ts';

/**
 * How the API server fails. `silent`: it accepts requests and does not respond. `refused`: nothing listens. `unavailable`: 503.
 * `future`: 504, as after a restored etcd. `conflicting`: 409 for whatever is written.
 */
export const apiFaults = ['silent', 'refused', 'unavailable', 'future', 'conflicting'] as const;

export type ApiFault = (typeof apiFaults)[number];

/** Milliseconds until a change arrives, and until a request is answered, by what it is about: the order is not that of the changes. */
const latencies = {
  pods: [40, 5, 400],
  persistentvolumes: [20, 300, 5],
  persistentvolumeclaims: [20, 5, 900],
  events: [30],
};

/** Milliseconds after which a request that is not answered fails. */
const requestTimeout = 30_000;

interface PodChange {
  readonly version: number;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly pod: Pod;
}

interface OpenWatch {
  readonly body: PassThrough;
  sent: number;
}

/** The API server: the node's pods, their volumes and claims, and the events that the agent writes. */
export class ModelledApi {
  readonly #clock: ModelledClock;
  readonly #node: ModelledNode;
  readonly #watches = new Set<OpenWatch>();
  readonly #waiting = new Set<() => void>();
  #history: PodChange[] = [];
  #known: readonly Pod[] = [];
  #version = 1;
  /** Versions before it have expired. */
  #oldest = 0;
  #fault: ApiFault | undefined;
  #requests = 0;
  /** Objects that events were written about, `<kind> <name>`. */
  readonly events: string[] = [];

  constructor(clock: ModelledClock, node: ModelledNode) {
    this.#clock = clock;
    this.#node = node;
  }

  set fault(fault: ApiFault | undefined) {
    this.#fault = fault;
    if (fault === 'silent') return;
    for (const answer of [...this.#waiting]) answer();
    if (fault === undefined) this.#deliver();
    else this.cut();
  }

  /** Compares the pods with those of the last call, and sends the differences to watches, some time later. */
  changed(): void {
    const now = this.#node.pods.map(({ spec }) => spec).concat(this.#node.strangers);
    const before = new Map(this.#known.map((pod) => [pod.uid, pod]));
    const add = (type: PodChange['type'], pod: Pod) => {
      this.#version += 1;
      this.#history.push({ version: this.#version, type, pod });
    };
    for (const pod of now)
      if (!before.has(pod.uid)) add('ADDED', pod);
      else if (before.get(pod.uid) !== pod) add('MODIFIED', pod);
    for (const pod of this.#known) if (!now.some(({ uid }) => uid === pod.uid)) add('DELETED', pod);
    this.#known = now;
    this.#clock.after(this.#latency('pods'), () => this.#deliver());
  }

  /** Breaks all watches. */
  cut(): void {
    for (const { body } of this.#watches) body.destroy(Object.assign(new Error('reset'), { code: 'ECONNRESET' }));
    this.#watches.clear();
  }

  /** Forgets the past, so that watches that are resumed get 410. */
  expire(): void {
    this.#version += 1;
    this.#oldest = this.#version;
    this.#history = [];
    this.cut();
  }

  get transport(): Transport {
    return {
      json: async (request) => {
        await this.#respond(request);
        return this.#answer(request);
      },
      stream: async (request) => {
        await this.#respond(request);
        return this.#watch(request) as never;
      },
    };
  }

  #latency(kind: string): Nanoseconds {
    const known = latencies[kind as keyof typeof latencies] ?? [10];
    this.#requests += 1;
    return milliseconds(known[this.#requests % known.length] ?? 10);
  }

  #deliver(): void {
    if (this.#fault !== undefined) return;
    for (const watch of this.#watches) {
      for (const { version, type, pod } of this.#history) {
        if (version <= watch.sent) continue;
        watch.sent = version;
        watch.body.write(`${JSON.stringify({ type, object: podObject(pod, version) })}\n`);
      }
    }
  }

  /** Resolves when a request is answered. */
  #respond(request: ApiRequest): Promise<void> {
    const { signal, path } = request;
    return new Promise((resolve, reject) => {
      const settle = (error?: unknown) => {
        timer[Symbol.dispose]();
        this.#waiting.delete(answer);
        signal.removeEventListener('abort', abort);
        if (error === undefined) resolve();
        else reject(error);
      };
      const answer = () => settle(this.#refusal(request));
      const abort = () => settle(signal.reason ?? new Error('aborted'));
      const isSilent = this.#fault === 'silent';
      const delay = isSilent
        ? milliseconds(requestTimeout)
        : this.#latency(/\/(\w+)(\/[^/]*)?$/.exec(path.split('?')[0] ?? '')?.[1] ?? '');
      const timer = this.#clock.after(delay, () => {
        if (isSilent) settle(new ApiTimeout(request, requestTimeout / 1000));
        else if (this.#fault !== 'silent') answer();
        else this.#waiting.add(answer);
      });
      if (isSilent) this.#waiting.add(answer);
      if (signal.aborted) abort();
      else signal.addEventListener('abort', abort);
    });
  }

  #refusal(request: ApiRequest): Error | undefined {
    switch (this.#fault) {
      case 'refused':
        return Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
      case 'unavailable':
        return new ApiError(503, request, 'unavailable');
      case 'future':
        return request.path.includes('watch=true')
          ? new ApiError(504, request, 'Too large resource version')
          : undefined;
      case 'conflicting':
        return request.method === 'GET' ? undefined : new ApiError(409, request, 'the object has been modified');
      default:
        return undefined;
    }
  }

  #answer(request: ApiRequest): unknown {
    const { path, method, body } = request;
    const [where = ''] = path.split('?');
    if (method !== 'GET') {
      const { involvedObject } = Object(body?.value) as { readonly involvedObject?: Record<string, string> };
      if (involvedObject !== undefined) this.events.push(`${involvedObject.kind} ${involvedObject.name}`);
      return {};
    }
    if (where === '/api/v1/persistentvolumes')
      return { metadata: { resourceVersion: '1' }, items: this.#node.volumes.map(volumeObject) };
    if (where === '/api/v1/pods')
      return {
        metadata: { resourceVersion: String(this.#version) },
        items: this.#known.map((pod) => podObject(pod, this.#version)),
      };
    const [, kind, name] = /\/(persistentvolumes|persistentvolumeclaims|datasets)\/([^/]+)$/.exec(where) ?? [];
    const volume = this.#node.volumes.find((each) => each.name === name);
    if (volume === undefined) throw new ApiError(404, request, 'not found');
    return kind === 'persistentvolumes' ? volumeObject(volume) : claimObject(volume);
  }

  #watch(request: ApiRequest): PassThrough {
    const { pathname, searchParams } = new URL(request.path, 'http://api');
    // The volumes do not change.
    const isOfPods = pathname === '/api/v1/pods';
    const version = Number(searchParams.get('resourceVersion'));
    if (isOfPods && version < this.#oldest) throw new ApiError(410, request, 'too old resource version');
    const body = new PassThrough();
    // A watch that is broken while nothing reads it must not end the process.
    body.on('error', () => undefined);
    const watch = { body, sent: isOfPods ? version : Number.POSITIVE_INFINITY };
    this.#watches.add(watch);
    body.on('close', () => this.#watches.delete(watch));
    request.signal.addEventListener('abort', () => body.destroy(request.signal.reason as Error));
    this.#deliver();
    return body;
  }
}

const metadata = (name: string, namespace: string | undefined, more: object = {}) => ({
  name,
  ...(namespace === undefined ? {} : { namespace }),
  ...more,
});

function podObject({ uid, name, namespace, labels, deleting, volumes, containers }: Pod, version: number): object {
  const deletion = deleting ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {};
  return {
    metadata: metadata(name, namespace, { uid, labels, resourceVersion: String(version), ...deletion }),
    spec: {
      volumes: volumes.map((volume) => ({ name: volume, persistentVolumeClaim: { claimName: volume } })),
      containers: containers.map((container) => ({
        name: container.name,
        ...(container.terminationMessagePath === undefined
          ? {}
          : { terminationMessagePath: container.terminationMessagePath }),
        volumeMounts: container.mounts.map(({ volume, ...mount }) => ({ name: volume, ...mount })),
      })),
    },
  };
}

function volumeObject({ name, handle, sources, accessModes }: Volume): object {
  return {
    metadata: metadata(name, undefined, { resourceVersion: '1' }),
    spec: {
      accessModes,
      claimRef: { namespace: 'default', name },
      csi: { driver: driverName, volumeHandle: handle, volumeAttributes: { fluid_path: sources[0] } },
    },
  };
}

const claimObject = ({ name }: Volume): object => ({
  metadata: metadata(name, 'default', { resourceVersion: '1', uid: `uid-${name}` }),
  spec: { volumeName: name },
});
