import type { V1Pod } from '@kubernetes/client-node';
import type { ControllerEvent } from '../controller.ts';
import { type FieldError, formatErrors } from './fields.ts';
import { type FluidObject, fuseRole, workerRole } from './names.ts';
import type { Assessment, FluidStep } from './plan.ts';

interface ReadyCondition {
  readonly phase: 'NotBound' | 'Bound' | 'Failed';
  readonly status: 'True' | 'False';
  readonly reason: string;
  readonly message: string;
}

const toRecord = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};

function currentReadyCondition({ status }: FluidObject): Readonly<Record<string, unknown>> {
  const conditions: readonly unknown[] = Array.isArray(status?.conditions) ? status.conditions : [];
  return toRecord(conditions.find((condition) => toRecord(condition).type === 'Ready'));
}

function readyCondition(assessment: Assessment, bound: boolean): ReadyCondition {
  switch (assessment.state) {
    case 'refused': {
      const message = formatErrors([
        ...assessment.dataset,
        ...assessment.runtime.map(({ field, message }) => ({ field: `JindoRuntime ${field}`, message })),
      ]);
      return { phase: 'Failed', status: 'False', reason: 'DatasetRefused', message };
    }
    case 'without-runtime':
      return { phase: 'NotBound', status: 'False', reason: 'NoRuntime', message: 'There is no runtime of this name.' };
    case 'accepted':
      return bound
        ? { phase: 'Bound', status: 'True', reason: 'DatasetReady', message: 'The ddc runtime is ready.' }
        : { phase: 'NotBound', status: 'False', reason: 'VolumePending', message: 'The claim is not bound yet.' };
  }
}

/** Updates phase and condition of a dataset if they are out of date, and records an event. `now`: RFC 3339. */
export function datasetStatus({
  dataset,
  runtime,
  assessment,
  bound,
  now,
}: {
  readonly dataset: FluidObject;
  readonly runtime: FluidObject | undefined;
  readonly assessment: Assessment;
  readonly bound: boolean;
  readonly now: string;
}): readonly FluidStep[] {
  const { phase, status, reason, message } = readyCondition(assessment, bound);
  const current = currentReadyCondition(dataset);
  if (dataset.status?.phase === phase && current.reason === reason && current.message === message) return [];
  const condition = {
    type: 'Ready',
    status,
    reason,
    message,
    lastUpdateTime: now,
    lastTransitionTime: current.status === status ? (current.lastTransitionTime ?? now) : now,
  };
  const newStatus = {
    ...dataset.status,
    phase,
    conditions: [condition],
    runtimes: runtime
      ? [{ name: runtime.metadata.name, namespace: runtime.metadata.namespace, type: 'jindo', category: 'Accelerate' }]
      : [],
    ufsTotal: dataset.status?.ufsTotal ?? '[Calculating]',
  };
  const events = datasetEvents(dataset, runtime, assessment, phase);
  return [{ do: 'set-status', object: dataset, status: newStatus, events }];
}

function datasetEvents(
  dataset: FluidObject,
  runtime: FluidObject | undefined,
  assessment: Assessment,
  phase: ReadyCondition['phase'],
): readonly ControllerEvent[] {
  if (phase === 'Bound') {
    return [{ object: dataset, type: 'Normal', reason: 'DatasetReady', message: 'The ddc runtime is ready.' }];
  }
  if (assessment.state !== 'refused') return [];
  const warn = (object: FluidObject, reason: string, errors: readonly FieldError[]): readonly ControllerEvent[] =>
    errors.length === 0 ? [] : [{ object, type: 'Warning', reason, message: formatErrors(errors) }];
  return [
    ...warn(dataset, 'ErrorCreateDataset', assessment.dataset),
    ...(runtime ? warn(runtime, 'ErrorProcessRuntimeReason', assessment.runtime) : []),
  ];
}

const isReady = ({ status }: V1Pod): boolean =>
  status?.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') ?? false;

/** Counts a runtime's pods. Its FUSE phase is always `Ready`, as in Fluid, which never checks it (`pkg/ctrl/fuse.go`). */
export function runtimeStatus(
  runtime: FluidObject,
  assessment: Assessment,
  pods: readonly V1Pod[],
): readonly FluidStep[] {
  const workers = pods.filter(({ metadata }) => metadata?.labels?.role === workerRole);
  const fusePods = pods.filter(({ metadata }) => metadata?.labels?.role === fuseRole);
  const ready = workers.filter(isReady).length;
  const desired = assessment.state === 'accepted' ? assessment.settings.replicas : 0;
  const refused = assessment.state === 'refused' && assessment.runtime.length > 0;
  const status = {
    masterPhase: refused ? 'NotReady' : 'Ready',
    workerPhase: refused ? 'NotReady' : ready >= desired ? 'Ready' : ready > 0 ? 'PartialReady' : 'NotReady',
    fusePhase: refused ? 'NotReady' : 'Ready',
    desiredWorkerNumberScheduled: desired,
    currentWorkerNumberScheduled: workers.filter(({ spec }) => spec?.nodeName !== undefined).length,
    workerNumberReady: ready,
    currentFuseNumberScheduled: fusePods.length,
    fuseNumberReady: fusePods.filter(isReady).length,
  };
  const isCurrent = Object.entries(status).every(([key, value]) => runtime.status?.[key] === value);
  return isCurrent ? [] : [{ do: 'set-status', object: runtime, status: { ...runtime.status, ...status }, events: [] }];
}
