import type { ClockPort } from '../engine/ports.ts';
import { listAt, objectAt, textAt, type UncheckedObject } from '../kubernetes/json.ts';
import { listWatch } from '../kubernetes/list-watch.ts';
import { toClaim, toVolume } from '../kubernetes/mapping.ts';
import { ApiError, type Transport } from '../kubernetes/transport.ts';
import type { ClusterState, DaemonTemplate } from './facts.ts';
import { claimsByVolume, type NewPod, podKind } from './pod.ts';

export interface FactsOptions {
  readonly transport: Transport;
  /** Directory below which all source mounts lie. Volumes with other sources are ignored. */
  readonly mountRoot: string;
  /** Called with the error that ended a watch. Each cause is reported once until `onRecovered`. */
  readonly onError: (kind: string, error: unknown) => void;
  /** Called once the watch works again after errors. */
  readonly onRecovered: (kind: string) => void;
  readonly clock: ClockPort;
  /** Between 0 and 1. */
  readonly random: () => number;
}

export interface WatchedFacts extends AsyncDisposable {
  /** Resolves after all kinds have been listed. */
  readonly synced: Promise<void>;
  /** Answers from memory. Requests the objects that a pod refers to if the watches have not delivered them yet. */
  factsFor(pod: NewPod): Promise<ClusterState>;
}

const kinds = {
  volumes: '/api/v1/persistentvolumes',
  claims: '/api/v1/persistentvolumeclaims',
  daemons: '/apis/apps/v1/daemonsets',
} as const;

/** Stored for a claim that exists but is not bound. */
const unbound = 'unbound';

/** Watches claims, the driver's volumes and the DaemonSets of FUSE daemons. */
export function watchFacts({ transport, mountRoot, onError, onRecovered, clock, random }: FactsOptions): WatchedFacts {
  const kind = <T>(path: string, map: (object: unknown) => T | undefined) =>
    listWatch({
      transport,
      path,
      map,
      onChange: () => {},
      onError: (error) => onError(path, error),
      onRecovered: () => onRecovered(path),
      clock,
      random,
    });
  const volume = (object: unknown) => toVolume(object, mountRoot);
  const claim = (object: unknown) => toClaim(object) ?? unbound;
  const volumes = kind(kinds.volumes, volume);
  const claims = kind(kinds.claims, claim);
  const daemons = kind(kinds.daemons, toDaemon);

  const get = async (path: string): Promise<unknown> => {
    try {
      return await transport.json({ method: 'GET', path, signal: AbortSignal.timeout(requestTimeoutMs) });
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return undefined;
      throw error;
    }
  };

  let hasNativeSidecars: boolean | undefined;
  const serverlessFacts = async (namespace: string): Promise<typeof unasked> => {
    hasNativeSidecars ??= supportsNativeSidecars(await get('/version'));
    const labels = objectAt(await get(`/api/v1/namespaces/${segment(namespace)}`), 'metadata', 'labels');
    return { hasNativeSidecars, podSecurity: textAt(labels, 'pod-security.kubernetes.io/enforce') };
  };

  return {
    synced: Promise.all([volumes.synced, claims.synced, daemons.synced]).then(() => {}),
    async factsFor(pod) {
      if (podKind(pod.pod) === 'other')
        return { ...unasked, claims: new Map(), volumes: new Map(), daemons: new Map(), existingClaims: new Set() };
      const known = { claims: new Map(claims.objects), volumes: new Map(volumes.objects) };
      const templates = new Map([...daemons.objects.values()].map((daemon) => [daemon.dataset, daemon.template]));
      const { namespace } = pod;
      for (const { claim: name } of claimsByVolume(pod.pod).values()) {
        const key = `${namespace}/${name}`;
        const path = `/api/v1/namespaces/${segment(namespace)}/persistentvolumeclaims/${segment(name)}`;
        if (known.claims.get(key) === undefined || known.claims.get(key) === unbound) {
          const object = await get(path);
          if (object !== undefined) known.claims.set(key, claim(object));
        }
        const bound = known.claims.get(key);
        if (bound === undefined || bound === unbound) continue;
        if (!known.volumes.has(bound.volume)) {
          const mapped = volume(await get(`${kinds.volumes}/${segment(bound.volume)}`));
          if (mapped !== undefined) known.volumes.set(bound.volume, mapped);
        }
        if (podKind(pod.pod) !== 'serverless' || templates.has(key) || !known.volumes.has(bound.volume)) continue;
        const sets = await get(
          `/apis/apps/v1/namespaces/${segment(namespace)}/daemonsets?labelSelector=release%3D${segment(name)}`,
        );
        for (const daemon of listAt(sets, 'items').flatMap((set) => toDaemon(set) ?? []))
          templates.set(daemon.dataset, daemon.template);
      }
      return {
        claims: new Map([...known.claims].flatMap(([key, value]) => (value === unbound ? [] : [[key, value]]))),
        volumes: known.volumes,
        daemons: templates,
        existingClaims: new Set(known.claims.keys()),
        ...(podKind(pod.pod) === 'serverless' ? await serverlessFacts(namespace) : unasked),
      };
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([volumes, claims, daemons].map((watch) => watch[Symbol.asyncDispose]()));
    },
  };
}

const requestTimeoutMs = 5_000;

/** What only serverless pods are judged by. */
const unasked: Pick<ClusterState, 'hasNativeSidecars' | 'podSecurity'> = {
  hasNativeSidecars: false,
  podSecurity: undefined,
};

/** They are enabled by default from Kubernetes 1.29. Some providers append a plus to the minor version. */
function supportsNativeSidecars(version: unknown): boolean {
  const { major, minor } = objectAt(version);
  return Number.parseInt(String(major), 10) > 1 || Number.parseInt(String(minor), 10) >= 29;
}

/** Names come from a pod that has not been validated yet. */
const segment = (name: string): string => encodeURIComponent(name);

/** Recognises a DaemonSet of FUSE daemons by the labels of Fluid's charts: `role=<engine>-fuse`, `release=<dataset>`. */
export function toDaemon(object: unknown): { readonly dataset: string; readonly template: DaemonTemplate } | undefined {
  const metadata = objectAt(object, 'metadata');
  const labels = objectAt(metadata, 'labels');
  const namespace = textAt(metadata, 'namespace');
  const release = textAt(labels, 'release');
  const role = textAt(labels, 'role');
  const spec = objectAt(object, 'spec', 'template', 'spec');
  const [container]: readonly (UncheckedObject | undefined)[] = listAt(spec, 'containers');
  if (namespace === undefined || release === undefined || !role?.endsWith('-fuse') || container === undefined)
    return undefined;
  return {
    dataset: `${namespace}/${release}`,
    template: { container, volumes: listAt(spec, 'volumes'), imagePullSecrets: listAt(spec, 'imagePullSecrets') },
  };
}
