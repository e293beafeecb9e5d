import { AdmissionregistrationV1Api, CoreV1Api, type V1Pod } from '@kubernetes/client-node';
import { subPathApplication } from './sub-path.ts';
import type { Trial } from './trial.ts';

const mutating = 'fluid-pod-admission-webhook';
const validating = 'fluid-pod-validating-webhook';
/** Nobody listens there, in a sandbox or on a control plane. */
const nowhere = 'https://127.0.0.1:1/';

/** As long as it lasts, the API server knows of no webhook for pods: as it was before somebody installed it. */
export async function withoutWebhook(trial: Trial): Promise<AsyncDisposable> {
  const api = apiOf(trial);
  const changing = await api.readMutatingWebhookConfiguration({ name: mutating });
  const judging = await api.readValidatingWebhookConfiguration({ name: validating });
  await using stack = new AsyncDisposableStack();
  stack.defer(async () => {
    await api.createMutatingWebhookConfiguration({ body: { ...changing, metadata: newMetadata(changing) } });
    await api.createValidatingWebhookConfiguration({ body: { ...judging, metadata: newMetadata(judging) } });
    await untilAnswered(trial, { what: 'the webhook is asked again', is: denied });
  });
  await api.deleteMutatingWebhookConfiguration({ name: mutating });
  await api.deleteValidatingWebhookConfiguration({ name: validating });
  await untilAnswered(trial, { what: 'no webhook is asked', is: (answer) => answer === undefined });
  return stack.move();
}

/** As long as it lasts, the webhook is registered and does not answer. */
export async function withWebhookDown(trial: Trial): Promise<AsyncDisposable> {
  const api = apiOf(trial);
  const changing = await api.readMutatingWebhookConfiguration({ name: mutating });
  const judging = await api.readValidatingWebhookConfiguration({ name: validating });
  await using stack = new AsyncDisposableStack();
  stack.defer(async () => {
    await api.patchMutatingWebhookConfiguration({ name: mutating, body: pointing(changing) });
    await api.patchValidatingWebhookConfiguration({ name: validating, body: pointing(judging) });
    await untilAnswered(trial, { what: 'the webhook answers again', is: denied });
  });
  await api.patchMutatingWebhookConfiguration({ name: mutating, body: pointing(changing, nowhere) });
  await api.patchValidatingWebhookConfiguration({ name: validating, body: pointing(judging, nowhere) });
  // What the API server makes of it is for the scenario to judge.
  await untilAnswered(trial, { what: 'the webhook does not answer', is: (answer) => !denied(answer) });
  return stack.move();
}

interface Configuration {
  readonly webhooks?: readonly { readonly clientConfig: object }[];
}

/** A JSON patch that points all webhooks of a configuration to where they were, or to an address. */
function pointing({ webhooks = [] }: Configuration, url?: string): readonly object[] {
  return webhooks.map(({ clientConfig }, index) => ({
    op: 'replace',
    path: `/webhooks/${index}/clientConfig`,
    value: url === undefined ? clientConfig : { url },
  }));
}

const denied = (answer: string | undefined) => answer?.includes('denied the request') === true;

/** A real API server hears of a change a little later; it is asked by a pod that is not to be, until it says so. */
async function untilAnswered(
  trial: Trial,
  { what, is }: { readonly what: string; readonly is: (answer: string | undefined) => boolean },
): Promise<void> {
  const { namespace } = trial;
  const core = trial.session.cluster.kubeConfig.makeApiClient(CoreV1Api);
  const body = subPathApplication({
    name: 'webhook-question',
    dataset: 'none',
    directory: 'none',
    kind: 'subPath',
    labelled: true,
  }) as V1Pod;
  await trial.poll({
    what,
    look: () => core.createNamespacedPod({ namespace, body, dryRun: 'All' }).then(() => undefined, String),
    until: is,
    say: (answer) => answer ?? 'a labelled pod with subPath would be created',
  });
}

const apiOf = (trial: Trial) => trial.session.cluster.kubeConfig.makeApiClient(AdmissionregistrationV1Api);

function newMetadata({ metadata }: { readonly metadata?: V1Pod['metadata'] }) {
  const { name, labels, annotations } = metadata ?? {};
  return { ...(name && { name }), ...(labels && { labels }), ...(annotations && { annotations }) };
}
