import type { Container } from '../engine/model.ts';
import type { Result } from '../engine/ports.ts';
import { isFirst, namespaceOf, processIds } from './processes.ts';

/**
 * Signals process 1 of a container, which ends it for the kubelet. Fails with ESRCH if it has none of its own (`shareProcessNamespace`,
 * `hostPID`) or has ended. The mount namespace identifies it until the signal; nothing is awaited in between.
 */
export function endContainer(
  proc: string,
  { mountNamespace, name }: Pick<Container, 'mountNamespace' | 'name'>,
  signal: 'SIGTERM' | 'SIGKILL',
): Result<void> {
  const own = processIds(proc).filter((pid) => namespaceOf(proc, pid, 'mnt') === mountNamespace);
  const main = own.find((pid) => isFirst(proc, pid));
  const fail = (errno: string, step: string): Result<void> => ({
    ok: false,
    failure: { errno, call: 'kill', path: name, step },
  });
  if (main === undefined) return fail('ESRCH', own.length === 0 ? 'container-ended' : 'no-process-1');
  try {
    process.kill(main, signal);
    return { ok: true, value: undefined };
  } catch (error) {
    return fail((error as NodeJS.ErrnoException).code ?? 'EIO', 'signal');
  }
}
