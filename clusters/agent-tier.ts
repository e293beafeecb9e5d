import { effectiveTier, tierOfRelease } from '../recovery/linux/kernel-tier.ts';
import type { AgentSettings } from './cluster.ts';

export interface AgentTier {
  /** The tier that the agent reports; undefined if it reports none. */
  readonly reported?: string | undefined;
  /** The flag `--kernel-tier`. */
  readonly flag?: AgentSettings['kernelTier'] | undefined;
  /** As `uname -r` prints it. */
  readonly kernel: string;
}

/**
 * Whether the agent replaces a dead mount from beneath, so that none of its layers stays. The agent's report decides. Without
 * one, the kernel decides, and the flag can only lower it.
 */
export function mountsBeneath({ reported, flag, kernel }: AgentTier): boolean {
  if (reported !== undefined) return reported === '6.5';
  const tier = effectiveTier(tierOfRelease(kernel), flag);
  return tier.ok && tier.value === '6.5';
}
