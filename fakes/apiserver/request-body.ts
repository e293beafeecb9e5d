import type { IncomingMessage } from 'node:http';
import type { Draft, Json } from './api-object.ts';
import { isJsonObject, objectAt, stringAt } from './api-object.ts';
import type { Resource } from './resource.ts';
import { groupVersion } from './resource.ts';
import { badRequest, tooLarge, unsupportedMediaType } from './status.ts';

const maxBytes = 3 * 1024 * 1024;

export const mediaType = (request: IncomingMessage): string =>
  (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '';

/** Parses the body as YAML if the content type says so, otherwise as JSON; undefined if it is empty. */
export async function readBody(request: IncomingMessage): Promise<Json | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBytes) throw tooLarge(maxBytes);
    chunks.push(chunk);
  }
  if (size === 0) return undefined;
  const text = Buffer.concat(chunks).toString('utf8');
  const type = mediaType(request);
  if (type.includes('protobuf')) throw unsupportedMediaType(type, ['application/json', 'application/yaml']);
  try {
    if (!type.includes('yaml')) return JSON.parse(text) as Json;
    const json = parseJson(text);
    if (json !== undefined) return json;
    const { parse } = await import('yaml');
    return parse(text) as Json;
  } catch (error) {
    throw badRequest(
      `the body of the request could not be read: ${error instanceof Error ? error.message : 'unknown'}`,
    );
  }
}

/** Clients send JSON as YAML, too, which a YAML parser reads a hundred times slower. */
function parseJson(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

/** Reads a body as an object of this kind. It is a 400 if apiVersion, kind or namespace contradict the path. */
export function decodeDraft(resource: Resource, namespace: string | undefined, body: Json): Draft {
  if (!isJsonObject(body)) throw badRequest('the body of the request is not an object');
  const apiVersion = groupVersion(resource);
  const actual = `${stringAt(body, 'apiVersion')}, Kind=${stringAt(body, 'kind')}`;
  const expected = `${apiVersion}, Kind=${resource.kind}`;
  const matches =
    [undefined, '', apiVersion].includes(body.apiVersion as string) &&
    [undefined, '', resource.kind].includes(body.kind as string);
  if (!matches) throw badRequest(`the object provided is unrecognized: ${actual} does not match ${expected}`);
  const { metadata } = body;
  if (metadata !== undefined && metadata !== null && !isJsonObject(metadata))
    throw badRequest('metadata is not an object');
  const bodyNamespace = stringAt(metadata, 'namespace');
  if (bodyNamespace !== '' && bodyNamespace !== (namespace ?? '')) {
    throw badRequest(
      `the namespace of the provided object does not match the namespace sent on the request (${bodyNamespace} is not ${namespace ?? 'allowed here'})`,
    );
  }
  return { ...body, apiVersion, kind: resource.kind, metadata: objectAt(body, 'metadata') };
}

/** Options of a delete, from its body (DeleteOptions) or its query. */
export interface DeleteOptions {
  readonly gracePeriodSeconds?: number;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly orphan: boolean;
  readonly dryRun: boolean;
}

export function parseDeleteOptions(body: Json | undefined, query: URLSearchParams): DeleteOptions {
  if (body !== undefined && !isJsonObject(body)) throw badRequest('DeleteOptions is not an object');
  const options = objectAt({ body }, 'body');
  const grace = options.gracePeriodSeconds ?? query.get('gracePeriodSeconds');
  const seconds = grace === null || grace === undefined || grace === '' ? undefined : Number(grace);
  if (seconds !== undefined && (!Number.isInteger(seconds) || seconds < 0)) {
    throw badRequest(`gracePeriodSeconds: ${JSON.stringify(grace)} is not a non-negative integer`);
  }
  const uid = stringAt(options, 'preconditions', 'uid');
  const resourceVersion = stringAt(options, 'preconditions', 'resourceVersion');
  const policy = stringAt(options, 'propagationPolicy') || query.get('propagationPolicy');
  return {
    ...(seconds === undefined ? {} : { gracePeriodSeconds: seconds }),
    ...(uid === '' ? {} : { uid }),
    ...(resourceVersion === '' ? {} : { resourceVersion }),
    orphan: policy === 'Orphan' || options.orphanDependents === true || query.get('orphanDependents') === 'true',
    dryRun: query.get('dryRun') === 'All' || Array.isArray(options.dryRun),
  };
}
