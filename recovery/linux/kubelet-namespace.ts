import { readFileSync } from 'node:fs';
import { namespaceOf, processIds } from './process.ts';

/**
 * Path of the kubelet's mount namespace, by the processes that `proc` shows. It is process 1's where the two are the same,
 * since process 1 lives as long as the node; some distributions give the kubelet one of its own (OpenShift, `kubens`). Where
 * no process is called `kubelet` (k3s has it inside its server), process 1 stands for it.
 */
export function kubeletNamespace(proc: string): string {
  const first = namespaceOf(proc, 1, 'mnt');
  const kubelet = processIds(proc).find((pid) => nameOf(proc, pid) === 'kubelet');
  const own = kubelet === undefined ? undefined : namespaceOf(proc, kubelet, 'mnt');
  return `${proc}/${own === undefined || own === first ? 1 : kubelet}/ns/mnt`;
}

function nameOf(proc: string, pid: number): string | undefined {
  try {
    return readFileSync(`${proc}/${pid}/comm`, 'latin1').trimEnd();
  } catch {
    return undefined;
  }
}
