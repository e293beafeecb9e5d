import type { V1ObjectMeta } from '@kubernetes/client-node';

export const group = 'data.fluid.io';
export const version = 'v1alpha1';

/** A Dataset or a JindoRuntime as the API server has it: nothing about its spec is known yet. */
export interface FluidObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: V1ObjectMeta;
  readonly spec?: unknown;
  readonly status?: Readonly<Record<string, unknown>>;
}

export type FluidKind = 'Dataset' | 'JindoRuntime';

export const pluralOf: Readonly<Record<FluidKind, string>> = { Dataset: 'datasets', JindoRuntime: 'jindoruntimes' };
