import { readFileSync } from 'node:fs';
import type { Usage } from '../cluster.ts';

const ticksPerSecond = 100; // sysconf(_SC_CLK_TCK) of every Linux that Node runs on

/** Adds up a process tree; processes that end meanwhile count as nothing. */
export function usageOfTree(pid: number): Usage {
  const own = usageOf(pid);
  return childrenOf(pid).map(usageOfTree).reduce(add, own);
}

function usageOf(pid: number): Usage {
  const status = read(`/proc/${pid}/status`);
  const kilobytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0) * 1024;
  // The command's name in parentheses may hold spaces: fields are counted from behind it.
  const fields = read(`/proc/${pid}/stat`).split(') ').at(-1)?.split(' ') ?? [];
  const ticks = Number(fields[11] ?? 0) + Number(fields[12] ?? 0);
  return {
    anonymousBytes: kilobytes('RssAnon'),
    residentBytes: kilobytes('VmRSS'),
    cpuMs: (ticks * 1000) / ticksPerSecond,
    processes: status === '' ? 0 : 1,
  };
}

function childrenOf(pid: number): readonly number[] {
  const lines = read(`/proc/${pid}/task/${pid}/children`).trim();
  return lines === '' ? [] : lines.split(' ').map(Number);
}

const add = (a: Usage, b: Usage): Usage => ({
  anonymousBytes: a.anonymousBytes + b.anonymousBytes,
  residentBytes: a.residentBytes + b.residentBytes,
  cpuMs: a.cpuMs + b.cpuMs,
  processes: a.processes + b.processes,
});

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
