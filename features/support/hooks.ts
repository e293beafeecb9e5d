import { After, Before, Status, setDefaultTimeout } from '@cucumber/cucumber';
import { slug } from '../../src/run/collector.ts';
import { longestStepMs } from '../../src/run/session.ts';
import { lieIn } from '../../src/scenario/judgements.ts';
import { missingFor, unfitFor, unpromisedIn } from '../../src/scenario/needs.ts';
import { Trial } from '../../src/scenario/trial.ts';
import type { RekindleWorld } from './world.ts';

// Each wait has a deadline of its own that says what it waited for; this one is for what we did not foresee.
setDefaultTimeout(longestStepMs());

Before(async function (this: RekindleWorld, { pickle }) {
  const { history, notes, cluster, profile } = this.session;
  const id = slug(pickle.name);
  const own = { id, startedAt: history.now(), finishedAt: history.now(), checks: [] };
  notes.set(pickle.id, own);
  const tags = pickle.tags.map(({ name }) => name);
  const steps = pickle.steps.map(({ text }) => text);
  const reason =
    missingFor(tags, cluster) ??
    unfitFor(tags, profile.agent?.command) ??
    unpromisedIn({ steps, tags }, profile.promises);
  if (reason !== undefined) {
    notes.set(pickle.id, { ...own, reason });
    return 'skipped';
  }
  history.enter(id);
  // A thousand crashes at the usual rate would be a history of gigabytes; and one that takes long on a busy machine is no failure.
  const isLong = pickle.tags.some(({ name }) => name === '@long');
  this.trial = new Trial(this.session, own, isLong ? { rate: 50, patience: 6 } : {});
  await this.trial.begin();
  return undefined;
});

After(async function (this: RekindleWorld, { result }) {
  if (!this.hasBegun) return;
  if (result?.status === Status.FAILED) {
    const lie = lieIn(this.trial);
    if (lie)
      Object.assign(this.trial.notes, { reason: `a recovery was claimed that was none: ${lie.says}` }).checks.push(lie);
    await this.session.cluster.collectDiagnostics?.(this.trial.notes.id);
  }
  const { history } = this.session;
  this.trial.notes.finishedAt = history.now();
  await this.trial[Symbol.asyncDispose]();
  history.enter(undefined);
});
