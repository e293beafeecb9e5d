import { randomUUID } from 'node:crypto';
import { request as httpsRequest } from 'node:https';
import type { AdmittedChange } from './admission.ts';
import type { Json, JsonObject } from './api-object.ts';
import { isJsonObject, listAt, objectAt, stringAt, without } from './api-object.ts';
import { jsonPatch } from './patch.ts';
import { groupVersion } from './resource.ts';
import { StatusError } from './status.ts';

export interface WebhookCall {
  readonly webhook: JsonObject;
  readonly change: AdmittedChange;
  /** Whether the name was made of `generateName`. Webhooks do not see generated names. */
  readonly generated: boolean;
  readonly dryRun: boolean;
  readonly mutating: boolean;
  readonly warn: (text: string) => void;
}

const defaultSeconds = 10;

/** Calls one webhook and returns the object, patched or not. Throws a `StatusError` for a denial, and for a failure unless it is ignored. */
export async function callWebhook(call: WebhookCall): Promise<Json> {
  const { webhook, change, warn } = call;
  const name = stringAt(webhook, 'name');
  let response: JsonObject;
  try {
    response = await send(call);
  } catch (error) {
    if (webhook.failurePolicy === 'Ignore') return change.object;
    const reason = error instanceof Error ? error.message : String(error);
    throw new StatusError(500, 'InternalError', `Internal error occurred: failed calling webhook "${name}": ${reason}`);
  }
  for (const text of listAt(response, 'warnings')) warn(String(text));
  if (response.allowed !== true) throw denied(name, objectAt(response, 'status'));
  const patch = stringAt(response, 'patch');
  if (patch === '') return change.object;
  return jsonPatch(change.object, JSON.parse(Buffer.from(patch, 'base64').toString('utf8')) as Json);
}

/** Like `ToStatusErr` of kube-apiserver: the code is never below 400, and the message always names the webhook. */
function denied(name: string, status: JsonObject): StatusError {
  const code = Math.max(Number(status.code ?? 0), 400);
  const explanation = stringAt(status, 'message') || stringAt(status, 'reason');
  const denial = `admission webhook "${name}" denied the request`;
  return new StatusError(
    code,
    stringAt(status, 'reason'),
    explanation === '' ? `${denial} without explanation` : `${denial}: ${explanation}`,
  );
}

async function send({ webhook, change, generated, dryRun, mutating }: WebhookCall): Promise<JsonObject> {
  const seconds = Number(webhook.timeoutSeconds ?? defaultSeconds);
  const config = objectAt(webhook, 'clientConfig');
  const address = stringAt(config, 'url');
  if (address === '') throw new Error('a Service cannot be reached: this API server has no network of pods');
  const url = new URL(address);
  url.searchParams.set('timeout', `${seconds}s`);
  const uid = randomUUID();
  const ca = Buffer.from(stringAt(config, 'caBundle'), 'base64');
  const body = JSON.stringify(review(uid, { change, generated, dryRun }));
  const { status, text } = await post(url, { body, milliseconds: seconds * 1000, ...(ca.length > 0 && { ca }) });
  if (status !== 200) throw new Error(`an error on the server ("${text.trim()}"): status ${status}`);
  const answer = JSON.parse(text) as Json;
  const response = objectAt(answer, 'response');
  const expected = { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview' };
  for (const [field, value] of Object.entries(expected)) {
    if (stringAt(answer, field) !== value)
      throw new Error(`received invalid webhook response: expected ${field} "${value}"`);
  }
  if (!isJsonObject(response) || response.uid !== uid)
    throw new Error(
      `received invalid webhook response: expected response.uid="${uid}", got ${JSON.stringify(response.uid)}`,
    );
  if (response.patch !== undefined && (!mutating || response.patchType !== 'JSONPatch'))
    throw new Error('received invalid webhook response: a patch needs patchType "JSONPatch" and a mutating webhook');
  return response;
}

function review(
  uid: string,
  { change: { resource, object, oldObject }, generated, dryRun }: Pick<WebhookCall, 'change' | 'generated' | 'dryRun'>,
): JsonObject {
  const { group, version, kind, plural } = resource;
  const { metadata } = object;
  // Identity and generated names are assigned after admission.
  const hidden = ['uid', 'resourceVersion', ...(generated ? ['name'] : [])];
  return {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: {
      uid,
      kind: { group, version, kind },
      resource: { group, version, resource: plural },
      requestKind: { group, version, kind },
      requestResource: { group, version, resource: plural },
      ...(generated ? {} : { name: metadata.name }),
      ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
      operation: oldObject === undefined ? 'CREATE' : 'UPDATE',
      userInfo: { username: 'rekindle', groups: ['system:authenticated'] },
      object: {
        ...object,
        apiVersion: groupVersion(resource),
        metadata: oldObject === undefined ? without(metadata, ...hidden) : metadata,
      },
      oldObject: oldObject ?? null,
      dryRun,
      options: { apiVersion: 'meta.k8s.io/v1', kind: oldObject === undefined ? 'CreateOptions' : 'UpdateOptions' },
    },
  };
}

interface Post {
  readonly body: string;
  readonly milliseconds: number;
  readonly ca?: Buffer;
}

async function post(
  url: URL,
  { body, milliseconds, ca }: Post,
): Promise<{ readonly status: number; readonly text: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; text: string }>();
  const signal = AbortSignal.timeout(milliseconds);
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
  // A new connection for each call, so that no dead connection to a restarted webhook is used.
  const sent = httpsRequest(url, { method: 'POST', headers, agent: false, signal, ...(ca && { ca }) }, (response) => {
    const chunks: Buffer[] = [];
    response.on('data', (chunk: Buffer) => chunks.push(chunk));
    response.on('error', reject);
    response.on('end', () =>
      resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') }),
    );
  });
  sent.on('error', reject);
  sent.end(body);
  try {
    return await promise;
  } catch (error) {
    const reason = signal.aborted
      ? `context deadline exceeded after ${milliseconds / 1000}s`
      : (error as Error).message;
    throw new Error(`failed to call webhook: Post "${url}": ${reason}`, { cause: error });
  }
}
