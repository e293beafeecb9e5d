import { endsInTime } from '../checks/ends-in-time.ts';
import { startsAfterDaemon } from '../checks/starts-after-daemon.ts';
import { graceSeconds } from '../faults/pod-delete.ts';
import type { CheckRecord } from '../timeline/record.ts';
import type { Subject } from './judgements.ts';
import type { Trial } from './trial.ts';

/** Until pods are gone from the node; judged by when the kubelet was done with each, and by what it left. */
export async function judgeEnds(
  { trial, consumer, volume }: Subject,
  { pods, fault }: { readonly pods: readonly string[]; readonly fault: string },
): Promise<readonly CheckRecord[]> {
  await trial.poll({
    what: 'the deleted pods are gone',
    look: () => {
      const removed = trial.history.flatMap((event) =>
        event.kind === 'kubelet' && event.event === 'pod-removed' ? event.pod : [],
      );
      return pods.filter((pod) => !removed.includes(`${consumer.namespace}/${pod}`));
    },
    until: ({ length }) => length === 0,
    say: (left) => `${left.join(', ')} still there`,
  });
  const lines = await trial.session.cluster.mountTable();
  const at = Number(process.hrtime.bigint());
  trial.session.onEvent({ kind: 'snapshot', at, where: 'node', label: 'after the end', lines });
  const graceMs = (graceSeconds * 1000) / trial.session.cluster.fidelity.clockScale;
  return pods.map((pod) => endsInTime(trial.history, { consumer: { ...consumer, pod }, volume, fault, graceMs }));
}

/** Until the kubelet has said that a container cannot be started, and why. */
export async function startIsRefused(trial: Trial, pod: string, reason: string): Promise<void> {
  await trial.poll({
    what: `a container of ${pod} waits with a reason that contains "${reason}"`,
    look: async () => (await trial.pod(pod)).status?.containerStatuses?.[0]?.state,
    until: (state) => `${state?.waiting?.reason} ${state?.waiting?.message}`.includes(reason),
    say: (state) => JSON.stringify(state ?? {}),
  });
}

/** Judges when and on what a container was started after a fault; takes its mount table. */
export async function judgeStart({ trial, consumer, volume }: Subject, fault: string): Promise<CheckRecord> {
  const lines = await trial.session.cluster.mountTable(consumer);
  const where = `${consumer.namespace}/${consumer.pod}/${consumer.container}`;
  trial.session.onEvent({ kind: 'snapshot', at: Number(process.hrtime.bigint()), where, label: 'started', lines });
  return startsAfterDaemon(trial.history, { consumer, volume, fault });
}
