import type { V1Pod } from '@kubernetes/client-node';
import type { FluidObject } from './custom-objects.ts';
import type { Judgement } from './judge.ts';
import { fuseRole, workerRole } from './naming.ts';
import type { Step } from './step.ts';

const isReady = ({ status }: V1Pod): boolean =>
  status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') ?? false;

/** Counts of the runtime's pods. Its FUSE phase is always `Ready`, as in Fluid, which never looks (`pkg/ctrl/fuse.go`). */
export function runtimeStatus(runtime: FluidObject, judgement: Judgement, pods: readonly V1Pod[]): readonly Step[] {
  const of = (role: string): readonly V1Pod[] => pods.filter(({ metadata }) => metadata?.labels?.role === role);
  const workers = of(workerRole);
  const fuses = of(fuseRole);
  const ready = workers.filter(isReady).length;
  const desired = judgement.state === 'wanted' ? judgement.facts.replicas : 0;
  const refused = judgement.state === 'refused' && judgement.runtime.length > 0;
  const status = {
    masterPhase: refused ? 'NotReady' : 'Ready',
    workerPhase: refused ? 'NotReady' : ready >= desired ? 'Ready' : ready > 0 ? 'PartialReady' : 'NotReady',
    fusePhase: refused ? 'NotReady' : 'Ready',
    desiredWorkerNumberScheduled: desired,
    currentWorkerNumberScheduled: workers.filter(({ spec }) => spec?.nodeName !== undefined).length,
    workerNumberReady: ready,
    currentFuseNumberScheduled: fuses.length,
    fuseNumberReady: fuses.filter(isReady).length,
  };
  const same = Object.entries(status).every(([key, value]) => runtime.status?.[key] === value);
  return same ? [] : [{ do: 'set-status', object: runtime, status: { ...runtime.status, ...status }, notices: [] }];
}
