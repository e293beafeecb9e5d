import type { CheckRecord } from '../timeline/record.ts';
import { documentedFiles } from './manifests.ts';
import type { Trial } from './trial.ts';

/** How many pods are created, waited for or asked at once. */
const atOnce = 10;

/** Starts pods of one dataset without a probe beside each; resolves when all of them run. Their names. */
export async function startMany(trial: Trial, count: number, dataset: string): Promise<readonly string[]> {
  const names = Array.from({ length: count }, (_, index) => `many-${index}`);
  await inBatches(names, (name) => trial.createApplication(name, dataset, { labelled: true }));
  await inBatches(names, (name) => trial.waitForPod(name));
  await trial.snapshot('before');
  return names;
}

/** Reads a file in each of the pods, and looks whether any was restarted. */
export async function judgeMany(trial: Trial, names: readonly string[]): Promise<CheckRecord> {
  const [file = '', bytes] = Object.entries(documentedFiles)[0] ?? [];
  const wanted = Buffer.from(bytes ?? []).toString('utf8');
  const found = await inBatches(names, async (pod) => {
    const target = { namespace: trial.namespace, pod, container: 'demo' };
    const read = await trial.session.cluster.exec(target, ['cat', `/data/${file}`]);
    const { status } = await trial.pod(pod);
    const restarts = status?.containerStatuses?.[0]?.restartCount ?? 0;
    const why = read.stdout === wanted ? undefined : `${pod} read ${read.stdout.length} bytes: ${read.stderr.trim()}`;
    return why ?? (restarts === 0 ? undefined : `${pod} was restarted ${restarts} times`);
  });
  const bad = found.filter((why) => why !== undefined);
  return {
    name: 'every pod reads the same files again, and none was restarted',
    claims: ['C3'],
    verdict: bad.length === 0 ? 'pass' : 'fail',
    says: bad.length === 0 ? `all ${names.length} pods read ${file}` : `${bad.length} of ${names.length}: ${bad[0]}`,
  };
}

/** Until the agent has said of each pod that it recovered it; of one that need not say so, until each pod reads. */
export async function manyRecovered(trial: Trial, names: readonly string[]): Promise<void> {
  const since = trial.lastFault;
  const needNotTell = trial.session.profile.agent?.command !== undefined;
  const missing = () => {
    const rest = untold(trial, names, since);
    return needNotTell ? unread(trial, rest) : rest;
  };
  await trial.poll({
    what: 'every pod is recovered',
    look: missing,
    until: ({ length }) => length === 0,
    say: (pods) => `not ${pods.slice(0, 3).join(', ')} and ${Math.max(0, pods.length - 3)} more`,
  });
}

/** The pods of which nothing has said that they were recovered. */
function untold(trial: Trial, names: readonly string[], since: number): readonly string[] {
  const later = trial.history.filter(({ at }) => at > since);
  const logged = new Set(
    later.flatMap((event) => (event.kind === 'agent' && event.event === 'recovered' ? (event.where ?? []) : [])),
  );
  return names.filter((name) => !logged.has(`${trial.namespace}/${name}/demo`));
}

/** Those in which a file cannot be read. */
async function unread(trial: Trial, names: readonly string[]): Promise<readonly string[]> {
  const [file = ''] = Object.keys(documentedFiles);
  const found = await inBatches(names, async (pod) => {
    const target = { namespace: trial.namespace, pod, container: 'demo' };
    const { exitCode } = await trial.session.cluster.exec(target, ['cat', `/data/${file}`]);
    return exitCode === 0 ? [] : [pod];
  });
  return found.flat();
}

async function inBatches<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<readonly R[]> {
  const results: R[] = [];
  for (let from = 0; from < items.length; from += atOnce)
    results.push(...(await Promise.all(items.slice(from, from + atOnce).map(work))));
  return results;
}
