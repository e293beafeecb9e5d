import { count } from '../../src/timeline/verdict.ts';
import type { ApiRequests, BenchSeries, Conditions } from './record.ts';

/** Text in columns: the first flush left, the others flush right; two spaces between them. */
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

/** Milliseconds in a column: three significant digits, more where they are whole. */
export function formatMs(milliseconds: number): string {
  if (!Number.isFinite(milliseconds)) return Number.isNaN(milliseconds) ? '-' : 'never';
  const size = Math.abs(milliseconds);
  return milliseconds.toFixed(size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2);
}

/**
 * With many pods, or little CPU, the agent goes on reading and telling after the last pod reads; a crash meanwhile would be charged
 * with that. So under such conditions each crash waits until the agent is idle, or for as long as a crash is waited for.
 */
export function waitsForIdleAgent({ pods, agentCpuMillis }: Conditions): boolean {
  return pods > 1 || agentCpuMillis !== undefined;
}

/** What comes before each crash, and what the agent has to do with, in words. */
export function pacingText(conditions: Conditions): string {
  const { pacingMs, agentCpuMillis, freshPods } = conditions;
  return [
    ...(freshPods ? ['a fresh FUSE pod before each, for which the kubelet has no back-off yet'] : []),
    `pauses of 0 to ${2 * pacingMs} ms${waitsForIdleAgent(conditions) ? ', then until the agent is idle' : ''}`,
    ...(agentCpuMillis === undefined ? [] : [`agent held to ${agentCpuMillis}m CPU`]),
  ].join('; ');
}

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;

/** Memory and CPU of the agent's process tree; undefined of an arm without an agent that recovers, or where nobody looked. */
export function usageText({ agent, arm, conditions, crashes, stopped }: BenchSeries): string | undefined {
  if (agent === undefined || (arm !== 'agent' && arm !== 'rekindle')) return undefined;
  const { first, last, overMs } = agent;
  const cpu = last.cpuMs - first.cpuMs;
  const all = Math.max(1, new Set(crashes.map(({ crash }) => crash)).size);
  const aCrash = `${(cpu / all).toFixed(1)} ms a crash${conditions.freshPods ? ' and its fresh pod' : ''}`;
  // The last look was at the last crash only where nothing stopped it before.
  const used = [
    ...(stopped === undefined ? [aCrash] : []),
    `${((100 * cpu) / Math.max(1, overMs)).toFixed(1)} % of a core`,
  ];
  const processes = count(last.processes, 'process', 'processes');
  const memory = `anonymous memory ${megabytes(first.anonymousBytes)} first, ${megabytes(last.anonymousBytes)} last`;
  return `(${processes}): ${memory}; resident ${megabytes(last.residentBytes)}${overMs > 0 ? `; CPU ${used.join(', ')}` : ''}`;
}

const hourMs = 3_600_000;

/** What an agent asks of the API server, a crash and an hour in which nothing happens. */
export function requestText({ during, crashes, idle }: ApiRequests): readonly string[] {
  const lines = [`  API requests: ${perCrash(during, crashes)}`];
  if (idle) {
    const count = sum(idle.during);
    const seconds = Math.round(idle.overMs / 1000);
    lines.push(
      `  at rest: ${count} in ${seconds} s${count > 0 ? ` (${said(idle.during, 1)})` : ''}, so ${Math.round((count * hourMs) / idle.overMs)} an hour`,
    );
  }
  return lines;
}

function perCrash(during: ApiRequests['during'], crashes: number): string {
  const lists = sum(Object.fromEntries(Object.entries(during).filter(([call]) => call.startsWith('list '))));
  const count = sum(during);
  return `${(count / crashes).toFixed(1)} a crash${count > 0 ? ` (${said(during, crashes)})` : ''}; ${lists === 0 ? 'none of them a list' : `lists ${lists}`}`;
}

const sum = (counts: ApiRequests['during']) => Object.values(counts).reduce((all, count) => all + count, 0);

const said = (counts: ApiRequests['during'], crashes: number) =>
  Object.entries(counts)
    .toSorted(([, a], [, b]) => b - a)
    .map(([call, count]) => `${call} ${crashes === 1 ? count : (count / crashes).toFixed(1)}`)
    .join(', ');
