import { processTree, readProc } from '../../recovery/linux/processes.ts';
import type { Usage } from '../cluster.ts';

const ticksPerSecond = 100; // sysconf(_SC_CLK_TCK) on every Linux that Node runs on

/** What a process and its descendants use. Processes that end meanwhile count as nothing. */
export function usageOfTree(pid: number): Usage {
  return processTree(pid)
    .map(usageOfProcess)
    .reduce((sum, usage) => ({
      anonymousBytes: sum.anonymousBytes + usage.anonymousBytes,
      residentBytes: sum.residentBytes + usage.residentBytes,
      cpuMs: sum.cpuMs + usage.cpuMs,
      processes: sum.processes + usage.processes,
    }));
}

function usageOfProcess(pid: number): Usage {
  const status = readProc(`/proc/${pid}/status`) ?? '';
  const bytes = (field: string) => Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0) * 1024;
  // The command name in parentheses may contain spaces, so fields are counted from behind it.
  const fields = readProc(`/proc/${pid}/stat`)?.split(') ').at(-1)?.split(' ') ?? [];
  const ticks = Number(fields[11] ?? 0) + Number(fields[12] ?? 0);
  return {
    anonymousBytes: bytes('RssAnon'),
    residentBytes: bytes('VmRSS'),
    cpuMs: (ticks * 1000) / ticksPerSecond,
    processes: status === '' ? 0 : 1,
  };
}
