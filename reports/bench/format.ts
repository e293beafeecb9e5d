import { count } from '../../src/timeline/verdict.ts';
import type { ApiRequests, BenchSeries, Conditions } from './record.ts';

/** Formats a table with two spaces between columns, the first flush left, the others flush right. */
export function inColumns(rows: readonly (readonly string[])[]): readonly string[] {
  const widths: number[] = [];
  for (const row of rows)
    row.forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? 0, cell.length);
    });
  return rows.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
}

/** Formats milliseconds with three significant digits, or as a whole number from 100. */
export function formatMs(milliseconds: number): string {
  if (!Number.isFinite(milliseconds)) return Number.isNaN(milliseconds) ? '-' : 'never';
  const size = Math.abs(milliseconds);
  return milliseconds.toFixed(size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2);
}

/**
 * With many pods or little CPU, the agent still reads and reports after the last pod reads, and a crash meanwhile would pay for that.
 * Under such conditions each crash waits until the agent is idle, at most for the crash deadline.
 */
export function waitsForIdleAgent({ pods, agentCpuMillis }: Conditions): boolean {
  return pods > 1 || agentCpuMillis !== undefined;
}

/** Of a series with a daemon that does not report readiness. */
export const readyNote =
  'daemon ready: the first successful statfs of ours, because this daemon does not report it; what follows it seems shorter by that delay';

/** Describes the pause before each crash, and the agent's CPU limit. */
export function pacingText(conditions: Conditions): string {
  const { pacingMs, agentCpuMillis, freshPods } = conditions;
  return [
    ...(freshPods ? ['a fresh FUSE pod before each, for which the kubelet has no back-off yet'] : []),
    `pauses of 0 to ${2 * pacingMs} ms${waitsForIdleAgent(conditions) ? ', then until the agent is idle' : ''}`,
    ...(agentCpuMillis === undefined ? [] : [`agent held to ${agentCpuMillis}m CPU`]),
  ].join('; ');
}

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;

/** Memory and CPU of the agent's process tree. Undefined for arms without a recovering agent, or if it was not measured. */
export function usageText({ agent, arm, conditions, crashes, stopped }: BenchSeries): string | undefined {
  if (agent === undefined || (arm !== 'agent' && arm !== 'rekindle')) return undefined;
  const { first, last, overMs } = agent;
  const cpu = last.cpuMs - first.cpuMs;
  const all = Math.max(1, new Set(crashes.map(({ crash }) => crash)).size);
  const aCrash = `${(cpu / all).toFixed(1)} ms a crash${conditions.freshPods ? ' and its fresh pod' : ''}`;
  // After an interruption, the last measurement was not at the last crash.
  const used = [
    ...(stopped === undefined ? [aCrash] : []),
    `${((100 * cpu) / Math.max(1, overMs)).toFixed(1)} % of a core`,
  ];
  const processes = count(last.processes, 'process', 'processes');
  const memory = `anonymous memory ${megabytes(first.anonymousBytes)} first, ${megabytes(last.anonymousBytes)} last`;
  return `(${processes}): ${memory}; resident ${megabytes(last.residentBytes)}${overMs > 0 ? `; CPU ${used.join(', ')}` : ''}`;
}

const hourMs = 3_600_000;

/** The agent's API requests for each crash, and for an hour at rest. */
export function requestText({ during, crashes, idle }: ApiRequests): readonly string[] {
  const lines = [`  API requests: ${perCrash(during, crashes)}`];
  if (idle) {
    const count = sum(idle.during);
    const seconds = Math.round(idle.overMs / 1000);
    lines.push(
      `  at rest: ${count} in ${seconds} s${count > 0 ? ` (${formatCounts(idle.during, 1)})` : ''}, so ${Math.round((count * hourMs) / idle.overMs)} an hour`,
    );
  }
  return lines;
}

function perCrash(during: ApiRequests['during'], crashes: number): string {
  const lists = sum(Object.fromEntries(Object.entries(during).filter(([call]) => call.startsWith('list '))));
  const count = sum(during);
  return `${(count / crashes).toFixed(1)} a crash${count > 0 ? ` (${formatCounts(during, crashes)})` : ''}; ${lists === 0 ? 'none of them a list' : `lists ${lists}`}`;
}

const sum = (counts: ApiRequests['during']) => Object.values(counts).reduce((all, count) => all + count, 0);

const formatCounts = (counts: ApiRequests['during'], crashes: number) =>
  Object.entries(counts)
    .toSorted(([, a], [, b]) => b - a)
    .map(([call, count]) => `${call} ${crashes === 1 ? count : (count / crashes).toFixed(1)}`)
    .join(', ');
