import type { Consumer } from '../checks/consumer.ts';
import { printsDocumentedTranscript } from '../checks/documented-transcript.ts';
import { failsCleanly } from '../checks/held-file.ts';
import { isLeftAlone } from '../checks/left-alone.ts';
import { keepsMountTableSteady } from '../checks/mount-table-steady.ts';
import { seesNoEmptyDirectory } from '../checks/never-empty.ts';
import { isNotRecovered } from '../checks/no-recovery.ts';
import { readsNoWrongData } from '../checks/no-wrong-data.ts';
import { type ContainerState, isNotRestarted } from '../checks/not-restarted.ts';
import { doesNothingWhileDown } from '../checks/nothing-while-down.ts';
import { staysReadOnly } from '../checks/read-only.ts';
import { readsAgain } from '../checks/reads-again.ts';
import { showsOneFilesystem } from '../checks/same-filesystem.ts';
import { seesNoError } from '../checks/sees-no-error.ts';
import { seesTheOutage } from '../checks/sees-the-outage.ts';
import { claimsOnlyTrueSuccess } from '../checks/truthful-success.ts';
import { recoversWithinBudget } from '../checks/within-budget.ts';
import { recoveries } from '../timeline/phases.ts';
import type { CheckRecord } from '../timeline/record.ts';
import { heldFile } from './held-file.ts';
import { documentedFiles } from './manifests.ts';
import { containerOf } from './pod-state.ts';
import type { Trial } from './trial.ts';

/** What the sentences of the features claim about one pod's volume, as checks of the history so far. */
export interface Subject {
  readonly trial: Trial;
  readonly consumer: Consumer;
  /** The PersistentVolume's name. */
  readonly volume: string;
}

export async function recovered(subject: Subject): Promise<readonly CheckRecord[]> {
  const { trial, consumer } = subject;
  const { containerId, restartCount } = trial.application(consumer.pod);
  const before = { containerId, restartCount };
  const after = await containerState(subject);
  return [
    readsAgain(trial.history, consumer),
    isNotRestarted(trial.history, { consumer, before, after }),
    seesNoEmptyDirectory(trial.history, consumer),
    readsNoWrongData(trial.history, consumer),
  ];
}

export const seesOutage = ({ trial, consumer }: Subject): CheckRecord =>
  seesTheOutage(trial.history, consumer, trial.session.cluster.kernel);

export const nothingWhileDown = ({ trial, ...places }: Subject): CheckRecord =>
  doesNothingWhileDown(trial.history, places);

export const readOnly = ({ trial, ...places }: Subject): CheckRecord => staysReadOnly(trial.history, places);

export const truthful = ({ trial, consumer }: Subject): CheckRecord => claimsOnlyTrueSuccess(trial.history, consumer);

/**
 * Of a scenario that broke off at some step: a claim of a recovery that was false, of whichever pod. It is the worst finding there
 * is, and no step may have come to ask for it.
 */
export function lieIn(trial: Trial): CheckRecord | undefined {
  const judged = trial.consumers.map((consumer) => claimsOnlyTrueSuccess(trial.history, consumer));
  const lie = judged.find(({ verdict }) => verdict === 'fail');
  return trial.notes.checks.some(({ name }) => name === lie?.name) ? undefined : lie;
}

/** `others`: pods of the scenario that nobody observes. */
export const steadyMounts = ({ trial }: Subject, others = 0): CheckRecord =>
  keepsMountTableSteady(trial.history, {
    consumers: trial.consumers,
    pods: trial.consumers.length + others,
    before: 'before',
    after: 'after',
    mountsBeneath: trial.session.cluster.capabilities.has('mount-beneath'),
  });

export const withinBudget = ({ trial, consumer }: Subject): CheckRecord =>
  recoversWithinBudget(recoveries(trial.history, trial.notes.id), { consumer, budgets: trial.session.profile.budgets });

export const documentedTranscript = ({ trial, consumer }: Subject): CheckRecord =>
  printsDocumentedTranscript(trial.history, {
    program: `loop in ${consumer.pod}`,
    files: Object.keys(documentedFiles),
  });

export const notRecovered = (
  { trial, ...places }: Subject,
  expected: { readonly claims: readonly string[]; readonly scope: 'pod' | 'everything' },
): CheckRecord => isNotRecovered(trial.history, { ...places, ...expected, watchMs: trial.watchMs });

export const leftAlone = ({ trial, ...places }: Subject, fault: string): CheckRecord =>
  isLeftAlone(trial.history, { ...places, fault });

/** What the next agent finishes may take as long as its start does. */
export async function oneFilesystem({ trial, ...places }: Subject): Promise<CheckRecord> {
  return trial.poll({
    what: 'both mounts of the pod show the same filesystem',
    look: async () => {
      await trial.countMounts();
      return showsOneFilesystem(trial.history, places);
    },
    until: ({ verdict }) => verdict === 'pass',
    say: ({ says }) => says,
  });
}

export const noError = ({ trial, consumer }: Subject): CheckRecord => seesNoError(trial.history, consumer);

export const heldFileFailsCleanly = ({ trial, consumer }: Subject): CheckRecord =>
  failsCleanly(trial.history, { program: heldFile(consumer.pod), kernel: trial.session.cluster.kernel });

async function containerState({ trial, consumer }: Subject): Promise<ContainerState> {
  const pod = await trial.pod(consumer.pod);
  const status = containerOf(pod, consumer.container);
  return { containerId: status?.containerID ?? '', restartCount: status?.restartCount ?? 0 };
}
