import type { ClockPort } from '../engine/ports.ts';
import { type JsonObject, listAt, objectAt, textAt } from '../kubernetes/json.ts';
import { listWatch } from '../kubernetes/list-watch.ts';
import { toClaim, toVolume } from '../kubernetes/mapping.ts';
import { ApiError, type Transport } from '../kubernetes/transport.ts';
import type { NewPod } from './dataset-mounts.ts';
import type { DaemonTemplate, Facts } from './facts.ts';
import { claimsOf, kindOf } from './pod.ts';

export interface FactsOptions {
  readonly transport: Transport;
  /** Directory below which sources are; volumes that name others are not ours. */
  readonly mountRoot: string;
  /** Takes what broke a watch of a kind, before it is tried again. */
  readonly onError: (kind: string, error: unknown) => void;
  readonly clock: Pick<ClockPort, 'now'>;
  /** Between 0 and 1. */
  readonly random: () => number;
}

export interface WatchedFacts extends AsyncDisposable {
  /** Resolves once all kinds were listed. */
  readonly synced: Promise<void>;
  /** From memory; what a pod names and a watch has not brought yet is asked for. */
  factsFor(pod: NewPod): Promise<Facts>;
}

const kinds = {
  volumes: '/api/v1/persistentvolumes',
  claims: '/api/v1/persistentvolumeclaims',
  daemons: '/apis/apps/v1/daemonsets',
} as const;

/** Of a claim that is there: what is kept where it is not bound. */
const unbound = 'unbound';

/** Watches claims, the driver's volumes, and the DaemonSets of FUSE daemons. */
export function watchFacts({ transport, mountRoot, onError, clock, random }: FactsOptions): WatchedFacts {
  const kind = <T>(path: string, map: (object: unknown) => T | undefined) =>
    listWatch({ transport, path, map, onChange: () => {}, onError: (error) => onError(path, error), clock, random });
  const volume = (object: unknown) => toVolume(object, mountRoot);
  const claim = (object: unknown) => toClaim(object) ?? unbound;
  const volumes = kind(kinds.volumes, volume);
  const claims = kind(kinds.claims, claim);
  const daemons = kind(kinds.daemons, toDaemon);

  const ask = async (path: string): Promise<unknown> => {
    try {
      return await transport.json({ method: 'GET', path, signal: AbortSignal.timeout(askMs) });
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return undefined;
      throw error;
    }
  };

  return {
    synced: Promise.all([volumes.synced, claims.synced, daemons.synced]).then(() => {}),
    async factsFor(pod) {
      if (kindOf(pod.pod) === 'other')
        return { claims: new Map(), volumes: new Map(), daemons: new Map(), known: new Set() };
      const found = { claims: new Map(claims.objects), volumes: new Map(volumes.objects) };
      const templates = new Map([...daemons.objects.values()].map((daemon) => [daemon.dataset, daemon.template]));
      const { namespace } = pod;
      for (const { claim: name } of claimsOf(pod.pod).values()) {
        const key = `${namespace}/${name}`;
        const place = `/api/v1/namespaces/${segment(namespace)}/persistentvolumeclaims/${segment(name)}`;
        if (found.claims.get(key) === undefined || found.claims.get(key) === unbound) {
          const object = await ask(place);
          if (object !== undefined) found.claims.set(key, claim(object));
        }
        const bound = found.claims.get(key);
        if (bound === undefined || bound === unbound) continue;
        if (!found.volumes.has(bound.volume)) {
          const mapped = volume(await ask(`${kinds.volumes}/${segment(bound.volume)}`));
          if (mapped !== undefined) found.volumes.set(bound.volume, mapped);
        }
        if (kindOf(pod.pod) !== 'serverless' || templates.has(key) || !found.volumes.has(bound.volume)) continue;
        const sets = await ask(
          `/apis/apps/v1/namespaces/${segment(namespace)}/daemonsets?labelSelector=release%3D${segment(name)}`,
        );
        for (const daemon of listAt(sets, 'items').flatMap((set) => toDaemon(set) ?? []))
          templates.set(daemon.dataset, daemon.template);
      }
      return {
        claims: new Map([...found.claims].flatMap(([key, value]) => (value === unbound ? [] : [[key, value]]))),
        volumes: found.volumes,
        daemons: templates,
        known: new Set(found.claims.keys()),
      };
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([volumes, claims, daemons].map((each) => each[Symbol.asyncDispose]()));
    },
  };
}

const askMs = 5_000;

/** Names come from a pod that nobody has checked yet. */
const segment = (name: string): string => encodeURIComponent(name);

/** A DaemonSet of FUSE daemons, by the labels that Fluid's charts give it: `role=<engine>-fuse`, `release=<dataset>`. */
export function toDaemon(object: unknown): { readonly dataset: string; readonly template: DaemonTemplate } | undefined {
  const metadata = objectAt(object, 'metadata');
  const labels = objectAt(metadata, 'labels');
  const namespace = textAt(metadata, 'namespace');
  const release = textAt(labels, 'release');
  const role = textAt(labels, 'role');
  const spec = objectAt(object, 'spec', 'template', 'spec');
  const [container]: readonly (JsonObject | undefined)[] = listAt(spec, 'containers');
  if (namespace === undefined || release === undefined || !role?.endsWith('-fuse') || container === undefined)
    return undefined;
  return { dataset: `${namespace}/${release}`, template: { container, volumes: listAt(spec, 'volumes') } };
}
