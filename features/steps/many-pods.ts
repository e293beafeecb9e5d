import { Given, Then } from '@cucumber/cucumber';
import { documentedFiles } from '../../src/scenario/manifests.ts';
import type { ScenarioPod } from '../../src/scenario/pod.ts';
import type { CheckRecord } from '../../src/timeline/record.ts';
import type { RekindleWorld } from '../support/world.ts';

/** How many pods are created or queried at the same time. */
const batchSize = 10;
const [file = '', bytes = Buffer.of()] = Object.entries(documentedFiles)[0] ?? [];

Given('{int} more pods read {string} at \\/data', async function (this: RekindleWorld, count: number, name: string) {
  const dataset = this.namespace.dataset(name);
  this.otherPods = Array.from({ length: count }, (_, index) => this.namespace.pod(`many-${index}`));
  await inBatches(this.otherPods, (pod) => pod.create(dataset, { labelled: true }));
  await inBatches(this.otherPods, (pod) => pod.ready());
  await this.namespace.snapshotMounts('before');
});

Then('all pods read the same files again, and none was restarted', async function (this: RekindleWorld) {
  await untilAllRecover(this, this.otherPods);
  this.scenario.judge(await judgeAll(this.otherPods));
});

/** Waits until each pod reads. What Rekindle's agent claims to have read need not be read before the check. */
async function untilAllRecover({ scenario }: RekindleWorld, pods: readonly ScenarioPod[]): Promise<void> {
  const since = scenario.lastFaultAt;
  const missing = async () => {
    const claimed = new Set(
      scenario.history.flatMap((event) =>
        event.at > since && event.kind === 'agent' && event.event === 'recovered' ? (event.where ?? []) : [],
      ),
    );
    const unclaimed = pods.filter(({ name, namespace }) => !claimed.has(`${namespace.name}/${name}/demo`));
    return unreadable(unclaimed);
  };
  await scenario.eventually({
    condition: 'every pod reads again',
    // Each question starts a program in each of the pods.
    intervalMs: 200,
    read: missing,
    until: ({ length }) => length === 0,
    format: (left) =>
      `not ${left
        .slice(0, 3)
        .map(({ name }) => name)
        .join(', ')} and ${Math.max(0, left.length - 3)} more`,
  });
}

async function unreadable(pods: readonly ScenarioPod[]): Promise<readonly ScenarioPod[]> {
  const results = await inBatches(pods, async (pod) => {
    const { exitCode } = await pod.exec(['cat', `/data/${file}`]);
    return exitCode === 0 ? [] : [pod];
  });
  return results.flat();
}

async function judgeAll(pods: readonly ScenarioPod[]): Promise<CheckRecord> {
  const expected = Buffer.from(bytes).toString('utf8');
  const problems = await inBatches(pods, async (pod) => {
    const { stdout, stderr } = await pod.exec(['cat', `/data/${file}`]);
    const { status } = await pod.read();
    const restarts = status?.containerStatuses?.[0]?.restartCount ?? 0;
    if (stdout !== expected) return `${pod.name} read ${stdout.length} bytes: ${stderr.trim()}`;
    return restarts === 0 ? undefined : `${pod.name} was restarted ${restarts} times`;
  });
  const bad = problems.filter((problem) => problem !== undefined);
  return {
    name: 'every pod reads the same files again, and none was restarted',
    claims: ['C3'],
    verdict: bad.length === 0 ? 'pass' : 'fail',
    says: bad.length === 0 ? `all ${pods.length} pods read ${file}` : `${bad.length} of ${pods.length}: ${bad[0]}`,
  };
}

async function inBatches<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<readonly R[]> {
  const results: R[] = [];
  for (let from = 0; from < items.length; from += batchSize)
    results.push(...(await Promise.all(items.slice(from, from + batchSize).map(work))));
  return results;
}
