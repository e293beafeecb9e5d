/** The content of `fleet.json`: what a forecast found, and what it was computed from. */
export const fleetSchema = 'rekindle.fleet/1';

/** Quantiles of a distribution. NaN, which JSON writes as null, if there are no values. */
export interface Quantiles {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly p9999: number;
  readonly max: number;
}

/** Requests or events at the API server in a second, over all seconds of the forecast. */
export interface ApiRate extends Quantiles {
  readonly total: number;
  /** The busiest second of each week. */
  readonly busiest: readonly number[];
}

/** The forecast for one means of recovery. */
export interface MeansForecast {
  readonly name: string;
  readonly title: string;
  /** Outages of pods, in milliseconds: from the end of the service to the first good read. */
  readonly outagesMs: Quantiles & {
    readonly count: number;
    /** Outages without a failed operation: calls waited. */
    readonly stalls: number;
    /** Outages that had not ended when the forecast did. */
    readonly unfinished: number;
    /** The share of outages that took longer, for each duration. */
    readonly longer: readonly (readonly [ms: number, share: number])[];
  };
  /** The share of time in which a pod cannot read, over all pods. */
  readonly unavailability: number;
  /** A pod's outages in a year together, in milliseconds, over all pods. */
  readonly downtimeMs: Quantiles & { readonly mean: number; readonly meanByCause: Readonly<Record<string, number>> };
  readonly api: { readonly restPerSecond: number; readonly requests: ApiRate; readonly events: ApiRate };
  readonly node: {
    /** For recovery: agent, second daemons, keeper. */
    readonly memoryBytes: number;
    /** CPU time of the agent for recoveries, in milliseconds a year. */
    readonly cpuMsPerYear: number;
  };
}

export interface FleetRecord {
  readonly schema: typeof fleetSchema;
  readonly runId: string;
  readonly rekindle: string;
  readonly seed: number;
  /** The fleet file, as the user named it. */
  readonly file: string;
  readonly fleet: {
    readonly nodes: number;
    readonly podsPerNode: number;
    readonly datasetsPerNode: number;
    readonly days: number;
    /** The input with all defaults. */
    readonly input: unknown;
  };
  /** Where each figure that the forecast depends on comes from. */
  readonly sources: readonly { readonly figure: string; readonly source: string }[];
  /** Ends of daemons by cause, over the whole forecast, without those of second daemons. */
  readonly ends: Readonly<Record<string, number>>;
  readonly means: readonly MeansForecast[];
  /** What the forecast itself took. */
  readonly cost: { readonly seconds: number; readonly cpuSeconds: number; readonly peakBytes: number };
}

/** The number of nines of an availability, as in 4.3. */
export function ninesFor(unavailability: number): number {
  return unavailability > 0 ? -Math.log10(unavailability) : Number.POSITIVE_INFINITY;
}
