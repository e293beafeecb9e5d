import { After, Before, Status, setDefaultTimeout } from '@cucumber/cucumber';
import { claimsOnlyTrueSuccess } from '../../src/checks/truthful-success.ts';
import { claimsFor } from '../../src/claims.ts';
import { slug } from '../../src/run/collector.ts';
import { missingFor, unfitFor, unpromisedIn } from '../../src/scenario/needs.ts';
import { Scenario } from '../../src/scenario/scenario.ts';
import { longestStepMs } from '../../src/scenario/session.ts';
import type { CheckRecord } from '../../src/timeline/record.ts';
import type { RekindleWorld } from './world.ts';

// Each wait has a timeout of its own that reports its condition; this one catches everything else.
setDefaultTimeout(longestStepMs());

Before(async function (this: RekindleWorld, { pickle }) {
  const { history, notes, cluster, profile } = this.session;
  const id = slug(pickle.name);
  const own = { id, startedAt: history.now(), finishedAt: history.now(), checks: [] };
  notes.set(pickle.id, own);
  const tags = pickle.tags.map(({ name }) => name);
  this.claims = claimsFor(tags);
  const steps = pickle.steps.map(({ text }) => text);
  const reason =
    missingFor(tags, cluster) ?? unfitFor(tags, profile.agent?.command) ?? unpromisedIn({ steps, tags }, profile);
  if (reason !== undefined) {
    notes.set(pickle.id, { ...own, reason });
    return 'skipped';
  }
  history.enter(id);
  // At the usual rate the history of a thousand crashes would take gigabytes, and on a busy machine they are slow.
  const isLong = tags.includes('@long');
  const [rate] = tags.flatMap((tag) => /^@probe:(\d+)$/.exec(tag)?.[1] ?? []);
  const pace = isLong ? { probeRate: 50, timeoutMultiplier: 6 } : rate === undefined ? {} : { probeRate: Number(rate) };
  this.scenario = new Scenario(this.session, own, pace);
  await this.scenario.begin();
  return undefined;
});

After(async function (this: RekindleWorld, { result }) {
  if (!this.hasBegun) return;
  const { scenario, session } = this;
  const { notes } = scenario;
  if (result?.status === Status.FAILED) {
    const lie = falseClaim(scenario);
    if (lie) {
      notes.checks.push(lie);
      notes.reason = `a recovery was claimed that was none: ${lie.says}`;
    }
    await session.cluster.collectDiagnostics?.(notes.id);
  }
  notes.finishedAt = session.history.now();
  await scenario[Symbol.asyncDispose]();
  session.history.enter(undefined);
});

/**
 * A false claim of a recovery, for any pod of a scenario that stopped early: the worst finding there is, and the step that checks
 * for it may not have run.
 */
function falseClaim({ namespace, timeline, notes }: Scenario): CheckRecord | undefined {
  const checks = namespace.observedPods.map(({ consumer }) => claimsOnlyTrueSuccess(timeline, consumer));
  const lie = checks.find(({ verdict }) => verdict === 'fail');
  return notes.checks.some(({ name }) => name === lie?.name) ? undefined : lie;
}
