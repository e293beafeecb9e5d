import type { FluidObject } from './custom-objects.ts';
import { sentence } from './finding.ts';
import type { Judgement } from './judge.ts';
import type { Notice, Step } from './step.ts';

type Phase = 'NotBound' | 'Bound' | 'Failed';

interface Ready {
  readonly phase: Phase;
  readonly ready: 'True' | 'False';
  readonly reason: string;
  readonly message: string;
}

const record = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};

/** The condition `Ready` that an object has now. */
export function readyOf({ status }: FluidObject): Readonly<Record<string, unknown>> {
  const conditions = status?.conditions;
  const all: readonly unknown[] = Array.isArray(conditions) ? conditions : [];
  return record(all.find((condition) => record(condition).type === 'Ready'));
}

function readiness(judgement: Judgement, bound: boolean): Ready {
  switch (judgement.state) {
    case 'refused': {
      const message = sentence([
        ...judgement.dataset,
        ...judgement.runtime.map(({ field, message }) => ({ field: `JindoRuntime ${field}`, message })),
      ]);
      return { phase: 'Failed', ready: 'False', reason: 'DatasetRefused', message };
    }
    case 'without-runtime':
      return { phase: 'NotBound', ready: 'False', reason: 'NoRuntime', message: 'There is no runtime of this name.' };
    case 'wanted':
      return bound
        ? { phase: 'Bound', ready: 'True', reason: 'DatasetReady', message: 'The ddc runtime is ready.' }
        : { phase: 'NotBound', ready: 'False', reason: 'VolumePending', message: 'The claim is not bound yet.' };
  }
}

/** Writes phase and condition where they are not as they should be, and tells of it by an event. Times are `now`. */
export function datasetStatus({
  dataset,
  runtime,
  judgement,
  bound,
  now,
}: {
  readonly dataset: FluidObject;
  readonly runtime: FluidObject | undefined;
  readonly judgement: Judgement;
  readonly bound: boolean;
  readonly now: string;
}): readonly Step[] {
  const { phase, ready, reason, message } = readiness(judgement, bound);
  const old = readyOf(dataset);
  if (dataset.status?.phase === phase && old.reason === reason && old.message === message) return [];
  const condition = {
    type: 'Ready',
    status: ready,
    reason,
    message,
    lastUpdateTime: now,
    lastTransitionTime: old.status === ready ? (old.lastTransitionTime ?? now) : now,
  };
  const status = {
    ...dataset.status,
    phase,
    conditions: [condition],
    runtimes: runtime
      ? [{ name: runtime.metadata.name, namespace: runtime.metadata.namespace, type: 'jindo', category: 'Accelerate' }]
      : [],
    ufsTotal: dataset.status?.ufsTotal ?? '[Calculating]',
  };
  return [{ do: 'set-status', object: dataset, status, notices: notices(dataset, runtime, judgement, phase) }];
}

function notices(
  dataset: FluidObject,
  runtime: FluidObject | undefined,
  judgement: Judgement,
  phase: Phase,
): readonly Notice[] {
  if (phase === 'Bound') {
    return [{ about: dataset, type: 'Normal', reason: 'DatasetReady', message: 'The ddc runtime is ready.' }];
  }
  if (judgement.state !== 'refused') return [];
  const warning = (about: FluidObject, reason: string, findings: Parameters<typeof sentence>[0]): readonly Notice[] =>
    findings.length === 0 ? [] : [{ about, type: 'Warning', reason, message: sentence(findings) }];
  return [
    ...warning(dataset, 'ErrorCreateDataset', judgement.dataset),
    ...(runtime ? warning(runtime, 'ErrorProcessRuntimeReason', judgement.runtime) : []),
  ];
}
