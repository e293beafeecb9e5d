import { deepStrictEqual, ok, strictEqual } from 'node:assert/strict';
import { Given, Then, When } from '@cucumber/cucumber';
import {
  AdmissionregistrationV1Api,
  ApiException,
  type CoreV1Api,
  setHeaderOptions,
  type V1Pod,
} from '@kubernetes/client-node';
import { application, applicationLabel, type Manifest, serverlessApplication } from '../../src/scenario/manifests.ts';
import type { Scenario } from '../../src/scenario/scenario.ts';
import type { RekindleWorld } from '../support/world.ts';
import { type SubPathKind, subPathApplication } from './sub-path.ts';

/** The API server's answer to the creation of a pod. */
interface CreationAnswer {
  /** Reason of the refusal; absent if the pod was created. */
  readonly denied?: string;
  /** HTTP status. */
  readonly code: number;
  /** Texts of the `Warning` headers, as `kubectl` prints them. */
  readonly warnings: readonly string[];
}

/** The answer to the pod that a scenario tried to create last. */
const admissions = new WeakMap<RekindleWorld, CreationAnswer>();
const admissionOf = (world: RekindleWorld): CreationAnswer => admissions.get(world) ?? { code: 0, warnings: [] };

When(
  'a labelled pod {string} is created that mounts directory {string} of {string} by {subPathKind}',
  async function (this: RekindleWorld, name: string, directory: string, dataset: string, kind: SubPathKind) {
    await create(this, subPathApplication({ name, dataset, directory, kind, labelled: true }));
  },
);

When(
  'a pod {string} without the label is created that mounts directory {string} of {string}',
  async function (this: RekindleWorld, name: string, directory: string, dataset: string) {
    this.focus(name, dataset);
    const pod = subPathApplication({ name, dataset, directory, kind: 'subPath', labelled: false });
    await this.namespace.createObject(pod);
  },
);

When(
  'a labelled pod {string} is created on {string}',
  async function (this: RekindleWorld, name: string, dataset: string) {
    await create(this, application({ name, dataset, labels: { [applicationLabel]: 'true' } }));
  },
);

When(
  'a serverless pod {string} with the annotation is created on {string}',
  async function (this: RekindleWorld, name: string, dataset: string) {
    await create(this, serverlessApplication({ name, dataset, recovers: true }));
  },
);

When(
  'a serverless pod {string} with the annotation is created that mounts directory {string} of {string}',
  async function (this: RekindleWorld, name: string, directory: string, dataset: string) {
    const { metadata = {} } = serverlessApplication({ name, dataset, recovers: true });
    const pod = subPathApplication({ name, dataset, directory, kind: 'subPath', labelled: false });
    await create(this, { ...pod, metadata });
  },
);

Then(
  /^it is denied with a sentence that names (init )?container "([^"]*)", volume "([^"]*)", (subPath|subPathExpr) and what to change$/,
  function (this: RekindleWorld, init: string | undefined, container: string, volume: string, field: string) {
    const { code, denied = '' } = admissionOf(this);
    strictEqual(code, 403);
    const expected = [
      'admission webhook "',
      '" denied the request: ',
      `${init ?? ''}container "${container}" mounts ${field} "`,
      `of volume "${volume}"`,
      'mount the whole volume',
    ];
    deepStrictEqual(
      expected.filter((part) => !denied.includes(part)),
      [],
      denied,
    );
  },
);

Then('it is not created, because of {string}', function (this: RekindleWorld, reason: string) {
  const { code, denied = '' } = admissionOf(this);
  ok(code >= 400 && denied.includes(reason), `${code} ${denied}`);
});

Then('it is created with a warning that names {string}', function (this: RekindleWorld, word: string) {
  const { code, warnings } = admissionOf(this);
  strictEqual(code, 201);
  ok(
    warnings.some((warning) => warning.includes(word)),
    `the warnings: ${warnings.join('; ') || 'none'}`,
  );
});

async function create(world: RekindleWorld, pod: Manifest): Promise<void> {
  admissions.set(world, await createPod(world.namespace.core, world.namespace.name, pod));
}

/** Creates a pod, and captures refusal and warnings. */
async function createPod(core: CoreV1Api, namespace: string, pod: Manifest): Promise<CreationAnswer> {
  let warnings: readonly string[] = [];
  const { middleware = [], ...options } = setHeaderOptions('Accept', 'application/json');
  const capturing = middleware.map((each) => ({
    pre: each.pre,
    post: (response: Parameters<typeof each.post>[0]) => {
      warnings = parseWarnings(response.headers.warning);
      return each.post(response);
    },
  }));
  const body = { ...pod, metadata: { ...pod.metadata, namespace } } as V1Pod;
  try {
    await core.createNamespacedPod({ namespace, body }, { ...options, middleware: capturing });
    return { code: 201, warnings };
  } catch (error) {
    if (!(error instanceof ApiException)) throw error;
    const status = typeof error.body === 'string' ? JSON.parse(error.body) : error.body;
    return { code: error.code, denied: String(status?.message ?? ''), warnings };
  }
}

/** `299 - "text", 299 - "text"`, with quotes and backslashes escaped (RFC 7234, 5.5). */
function parseWarnings(header: string | undefined): readonly string[] {
  const found = (header ?? '').matchAll(/299 \S+ "((?:[^"\\]|\\.)*)"/g);
  return [...found].map(([, text = '']) => text.replaceAll(/\\(.)/g, '$1'));
}

const mutating = { name: 'fluid-pod-admission-webhook' };
const validating = { name: 'fluid-pod-validating-webhook' };
/** An address on which nothing listens, in a sandbox or on a control plane. */
const deadUrl = 'https://127.0.0.1:1/';

/** Reinstalls the webhook; disposing of it twice is harmless. */
const removals = new WeakMap<RekindleWorld, AsyncDisposable>();

Given('the webhook is not installed yet', async function (this: RekindleWorld) {
  removals.set(this, this.scenario.use(await removeWebhook(this.scenario)));
});

Given('the webhook is installed', async function (this: RekindleWorld) {
  await removals.get(this)?.[Symbol.asyncDispose]();
});

Given('the webhook does not answer', async function (this: RekindleWorld) {
  this.scenario.use(await misdirectWebhook(this.scenario));
});

/** Removes the webhook's registration until disposed of. */
async function removeWebhook(scenario: Scenario): Promise<AsyncDisposable> {
  const { api, mutate, validate } = await readRegistration(scenario);
  await using stack = new AsyncDisposableStack();
  stack.defer(async () => {
    await api.createMutatingWebhookConfiguration({ body: { ...mutate, metadata: newMetadata(mutate) } });
    await api.createValidatingWebhookConfiguration({ body: { ...validate, metadata: newMetadata(validate) } });
    await untilRefusal(scenario, 'the webhook is called again', isDenied);
  });
  await api.deleteMutatingWebhookConfiguration(mutating);
  await api.deleteValidatingWebhookConfiguration(validating);
  await untilRefusal(scenario, 'no webhook is called', (refusal) => refusal === undefined);
  return stack.move();
}

/** Registers the webhook at an address that does not answer, until disposed of. */
async function misdirectWebhook(scenario: Scenario): Promise<AsyncDisposable> {
  const { api, mutate, validate } = await readRegistration(scenario);
  await using stack = new AsyncDisposableStack();
  stack.defer(async () => {
    await api.patchMutatingWebhookConfiguration({ ...mutating, body: addressPatch(mutate) });
    await api.patchValidatingWebhookConfiguration({ ...validating, body: addressPatch(validate) });
    await untilRefusal(scenario, 'the webhook answers again', isDenied);
  });
  await api.patchMutatingWebhookConfiguration({ ...mutating, body: addressPatch(mutate, deadUrl) });
  await api.patchValidatingWebhookConfiguration({ ...validating, body: addressPatch(validate, deadUrl) });
  // Whether the API server then admits pods is for the scenario to judge.
  await untilRefusal(scenario, 'the webhook does not answer', (refusal) => !isDenied(refusal));
  return stack.move();
}

async function readRegistration({ session }: Scenario) {
  const api = session.cluster.kubeConfig.makeApiClient(AdmissionregistrationV1Api);
  const mutate = await api.readMutatingWebhookConfiguration(mutating);
  const validate = await api.readValidatingWebhookConfiguration(validating);
  return { api, mutate, validate };
}

interface WebhookConfiguration {
  readonly webhooks?: readonly { readonly clientConfig: object }[];
}

/** A JSON patch that sets the address of all webhooks of a configuration, by default to the present one. */
function addressPatch({ webhooks = [] }: WebhookConfiguration, url?: string): readonly object[] {
  return webhooks.map(({ clientConfig }, index) => ({
    op: 'replace',
    path: `/webhooks/${index}/clientConfig`,
    value: url === undefined ? clientConfig : { url },
  }));
}

const isDenied = (refusal: string | undefined) => refusal?.includes('denied the request') === true;

/** A real API server applies a registration with a delay; dry runs with a pod that the webhook refuses show when. */
async function untilRefusal(
  scenario: Scenario,
  condition: string,
  until: (refusal: string | undefined) => boolean,
): Promise<void> {
  const { core, name: namespace } = scenario.namespace;
  const pod = { name: 'webhook-question', dataset: 'none', directory: 'none' };
  const body = subPathApplication({ ...pod, kind: 'subPath', labelled: true }) as V1Pod;
  await scenario.eventually({
    condition,
    read: () => core.createNamespacedPod({ namespace, body, dryRun: 'All' }).then(() => undefined, String),
    until,
    format: (refusal) => refusal ?? 'a labelled pod with subPath would be created',
  });
}

function newMetadata({ metadata }: { readonly metadata?: V1Pod['metadata'] }) {
  const { name, labels, annotations } = metadata ?? {};
  return { ...(name && { name }), ...(labels && { labels }), ...(annotations && { annotations }) };
}
