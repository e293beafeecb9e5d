import type { KernelTier } from '../../recovery/engine/model.ts';

/** Part of each failure's command line, so that a seed of another version is not taken for the same history. */
export const seedVersion = 5;

/** What a simulating process is asked for. It takes the seeds `first`, `first + stride` ... below `first + seeds`. */
export interface SimulationOrder {
  readonly against: 'kernel' | 'invariants';
  readonly first: number;
  readonly seeds: number;
  readonly stride: number;
  readonly steps: number;
  /** Runs these steps instead of drawing some. */
  readonly history?: readonly unknown[];
  /** The best one that the kernel offers by default. */
  readonly tier?: KernelTier | undefined;
  /** Milliseconds since the epoch at which it stops. */
  readonly endsAt?: number;
  /** Failures after which it stops. */
  readonly mostFailures: number;
}

/** A history that failed, as short as it could be made. */
export interface SimulatedFailure {
  readonly seed: number;
  /** What is wrong, in one sentence. */
  readonly message: string;
  /** The steps, one a line, and what was seen. */
  readonly story: readonly string[];
  /** The steps as JSON, for a test. */
  readonly steps: readonly unknown[];
}

/** What a simulating process reports. */
export type SimulationReport =
  | { readonly kind: 'progress'; readonly histories: number; readonly steps: number }
  | { readonly kind: 'failed'; readonly failure: SimulatedFailure }
  | { readonly kind: 'cannot-run'; readonly what: string; readonly remedy: string }
  | { readonly kind: 'done' };
