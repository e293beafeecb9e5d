import { formatNs } from '../../src/timeline/duration.ts';
import { inColumns } from '../bench/format.ts';
import { type FleetRecord, type MeansForecast, ninesFor } from './record.ts';

/** Renders a forecast for the terminal. */
export function fleetText(record: FleetRecord): readonly string[] {
  const { fleet, ends, means, sources } = record;
  return [
    `${count(fleet.nodes)} nodes, ${count(fleet.nodes * fleet.podsPerNode)} pods, ${count(fleet.nodes * fleet.datasetsPerNode)} daemons, ${fleet.days} days; seed ${record.seed}`,
    `daemons ended: ${describeEnds(ends)}`,
    '',
    ...inColumns([outageHead, ...means.map(outageRow)]),
    '',
    ...inColumns([costHead, ...means.map(costRow)]),
    '',
    'Where the figures come from:',
    ...sources.map(({ figure, source }) => `  ${figure}: ${source}`),
    '',
    describeCost(record),
  ];
}

export const outageHead: readonly string[] = [
  'Recovered by',
  'a pod reads',
  'nines',
  'outage p50',
  'p90',
  'p99',
  'p99.9',
  'p99.99',
  'longest',
  'down a year',
  'down a year p99.99',
];

export function outageRow({ title, outagesMs, unavailability, downtimeMs }: MeansForecast): readonly string[] {
  const { p50, p90, p99, p999, p9999, max } = outagesMs;
  return [
    title,
    formatAvailability(unavailability),
    formatNines(unavailability),
    ...[p50, p90, p99, p999, p9999, max, downtimeMs.mean, downtimeMs.p9999].map(formatDuration),
  ];
}

export const costHead: readonly string[] = [
  'API server and node',
  'requests/s at rest',
  'requests/s p99.99',
  'requests/s busiest',
  'events/s p99.99',
  'events/s busiest',
  'memory a node',
  'agent CPU, node and year',
];

export function costRow({ title, api, node }: MeansForecast): readonly string[] {
  const { restPerSecond, requests, events } = api;
  return [
    title,
    formatRate(restPerSecond),
    ...[requests.p9999, requests.max, events.p9999, events.max].map(formatRate),
    formatBytes(node.memoryBytes),
    formatDuration(node.cpuMsPerYear),
  ];
}

export function describeEnds(ends: FleetRecord['ends']): string {
  const some = Object.entries(ends).filter(([, number]) => number > 0);
  return some.map(([cause, number]) => `${causeTitles[cause] ?? cause} ${count(number)}`).join(', ') || 'none';
}

/** What the forecast itself took. */
export function describeCost({ cost, seed }: FleetRecord): string {
  return `Simulated in ${cost.seconds.toFixed(1)} s (${cost.cpuSeconds.toFixed(1)} s of CPU) with ${(cost.peakBytes / 2 ** 20).toFixed(0)} MiB; --seed ${seed} repeats it.`;
}

export const causeTitles: Readonly<Record<string, string>> = {
  crash: 'crash',
  oom: 'out of memory',
  hang: 'hang',
  crashLoop: 'crash loop',
  daemonUpgrade: 'daemon upgrade',
  nodeUpgrade: 'node upgrade',
};

const hourMs = 3_600_000;

/** Milliseconds, with hours and days if they are many. */
export function formatDuration(ms: number): string {
  if (!Number.isFinite(ms)) return '-';
  if (ms >= 48 * hourMs) return `${(ms / 24 / hourMs).toFixed(1)} d`;
  if (ms >= 2 * hourMs) return `${(ms / hourMs).toFixed(1)} h`;
  return formatNs(ms * 1e6);
}

/** A percentage with the nines and two digits after them. */
export function formatAvailability(unavailability: number): string {
  const nines = ninesFor(unavailability);
  const digits = Number.isFinite(nines) ? Math.max(1, Math.ceil(nines) - 1) : 0;
  return `${(100 * (1 - unavailability)).toFixed(digits)} %`;
}

/** The nines of an availability, as in 5.3. */
export function formatNines(unavailability: number): string {
  return unavailability > 0 ? ninesFor(unavailability).toFixed(1) : '-';
}

/** Digits in groups of three. */
export function count(number: number): string {
  return number.toFixed(0).replaceAll(/\B(?=(\d{3})+$)/g, ',');
}

export function formatRate(perSecond: number): string {
  if (!Number.isFinite(perSecond)) return '-';
  return perSecond >= 99.5 ? count(perSecond) : perSecond === 0 ? '0' : perSecond.toPrecision(2);
}

export function formatBytes(bytes: number): string {
  const mebibytes = bytes / 2 ** 20;
  return mebibytes >= 10_240 ? `${(mebibytes / 1024).toFixed(1)} GiB` : `${mebibytes.toFixed(0)} MiB`;
}
