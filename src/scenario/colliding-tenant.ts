import { concluded, fail, pass } from '../checks/finding.ts';
import type { CheckRecord } from '../timeline/record.ts';
import { podState } from './pod-state.ts';
import type { Trial } from './trial.ts';

/** A tenant whose namespace and dataset make the same name of a volume as another's: `a-b`/`c` and `a`/`b-c`. */
export interface CollidingTenant {
  readonly trial: Trial;
  readonly dataset: string;
  readonly pod: string;
  /** The name that both have. */
  readonly volume: string;
}

/** Makes the tenant of a dataset `<first>-<rest>`: the namespace takes the first part. Its dataset holds files of its own. */
export async function createCollidingTenant(trial: Trial, dataset: string): Promise<CollidingTenant> {
  const [first = '', ...rest] = dataset.split('-');
  const tenant = { dataset: rest.join('-'), pod: 'intruder', volume: `${trial.namespace}-${dataset}` };
  const other = await trial.tenant(`${trial.namespace}-${first}`);
  await other.applyDataset(tenant.dataset, { files: { intruder: Buffer.from('of another tenant\n') } });
  // With the label the webhook would not even take it.
  await other.createApplication(tenant.pod, tenant.dataset, { labelled: false });
  return { trial: other, ...tenant };
}

/** Until its dataset is refused with a sentence that names the volume. */
export async function collisionIsRefused({ trial, dataset, volume }: CollidingTenant): Promise<void> {
  await trial.poll({
    what: `Dataset ${dataset} is refused because of the volume ${volume}`,
    look: () => trial.objects.datasetStatus(dataset),
    until: ({ phase, message }) => phase === 'Failed' && message.includes(volume),
    say: ({ phase, message }) => `phase ${phase || '(none)'} ${message}`,
  });
}

/** Whether its pod was given anything: no container of it may have been started, and no volume published for it. */
export async function givesNothing({ trial, pod }: CollidingTenant): Promise<CheckRecord> {
  const title = { name: 'a tenant is given nothing of another’s', claims: [] };
  const found = await trial.pod(pod);
  const name = `${trial.namespace}/${pod}`;
  const given = trial.history.find(
    (event) =>
      (event.kind === 'kubelet' && event.event === 'publish' && event.pod === name) ||
      (event.kind === 'process' && event.name.startsWith(`${name}/`)),
  );
  if (given) return concluded(title, fail(`${given.kind} of ${name}: ${JSON.stringify(given)}`));
  if (found.status?.phase !== 'Pending') return concluded(title, fail(`${name}: ${podState(found)}`));
  return concluded(title, pass(`${name} has no volume and no container: ${podState(found)}`));
}
