import { readFileSync } from 'node:fs';
import { childrenOf, processIds } from '../../recovery/linux/processes.ts';

/** A process of the node. Its command line has spaces between its arguments. */
export interface NodeProcess {
  readonly pid: number;
  readonly command: string;
}

/**
 * Processes whose command line matches a regular expression, by ascending pid. The caller itself is none of them, nor is the parent of
 * another: a shell or a supervisor has the command line of the process that it started.
 */
export function findProcesses(pattern: string, proc = '/proc'): readonly NodeProcess[] {
  const expression = new RegExp(pattern);
  const found = processIds(proc)
    .filter((pid) => pid !== process.pid)
    .map((pid) => ({ pid, command: readCommand(proc, pid) }))
    .filter(({ command }) => command !== '' && expression.test(command));
  if (found.length < 2) return found;
  const pids = new Set(found.map(({ pid }) => pid));
  return found.filter(({ pid }) => !childrenOf(proc, pid).some((child) => pids.has(child)));
}

/** Empty for a kernel thread, a zombie, or a process that has just ended. */
function readCommand(proc: string, pid: number): string {
  try {
    return readFileSync(`${proc}/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
  } catch {
    return '';
  }
}
