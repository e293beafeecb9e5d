import type { VolumeUsage } from '../messages.ts';

/** What the usage process answers to a path. */
export type UsageAnswer = { readonly usage: readonly VolumeUsage[] } | { readonly errno: string };
