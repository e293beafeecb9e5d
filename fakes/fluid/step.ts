import type { V1DaemonSet, V1PersistentVolume, V1PersistentVolumeClaim, V1Pod } from '@kubernetes/client-node';
import type { FluidObject } from './custom-objects.ts';

export type Made = V1PersistentVolume | V1PersistentVolumeClaim | V1DaemonSet | V1Pod;

/** An event about a Dataset or a JindoRuntime. */
export interface Notice {
  readonly about: FluidObject;
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
}

/** One thing to do; the steps of a plan are done in order, and a failure ends them. */
export type Step =
  | { readonly do: 'create'; readonly object: Made }
  /** Made under a generated name where none is there: asked of the server, not of a cache, before it is made. */
  | { readonly do: 'create-on-node'; readonly pod: V1Pod }
  | { readonly do: 'delete'; readonly object: Made }
  | {
      readonly do: 'set-status';
      readonly object: FluidObject;
      readonly status: Readonly<Record<string, unknown>>;
      readonly notices: readonly Notice[];
    };
