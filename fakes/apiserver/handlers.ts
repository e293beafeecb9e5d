import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ApiObject, Json, JsonObject } from './api-object.ts';
import { checkEviction } from './eviction.ts';
import { authorize, type Tokens, type User } from './rbac.ts';
import type { Registry, WriteOptions } from './registry.ts';
import { mediaType, parseDeleteOptions, readBody } from './request-body.ts';
import type { Resource } from './resource.ts';
import { groupVersion } from './resource.ts';
import type { Selector } from './selectors.ts';
import { fieldSelector, labelSelector } from './selectors.ts';
import { badRequest, invalid, methodNotAllowed, noSuchPath, notAcceptable, required, success } from './status.ts';
import type { Storage } from './storage.ts';
import { dropUnknownFields, isFieldValidation } from './unknown-fields.ts';
import { streamWatch } from './watch-stream.ts';

/** A parsed path of the API. */
export interface RequestPath {
  readonly resource: Resource;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
  readonly subresource: string | undefined;
}

export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly path: RequestPath;
  readonly query: URLSearchParams;
  readonly registry: Registry;
  readonly store: Storage;
  readonly user: User;
  readonly tokens: Tokens;
  readonly now: () => Date;
}

export function sendJson(response: ServerResponse, code: number, body: JsonObject): void {
  const bytes = Buffer.from(`${JSON.stringify(body)}\n`);
  response.writeHead(code, { 'content-type': 'application/json', 'content-length': bytes.length });
  response.end(bytes);
}

/** Returns a function that adds a warning to the response's `Warning` headers. */
function collectWarnings(response: ServerResponse): (text: string) => void {
  const texts: string[] = [];
  return (text) => {
    texts.push(text);
    response.setHeader('warning', warningHeaders(texts));
  };
}

const dayInSeconds = 86_400;
const isTrue = (value: string | null): boolean => value === 'true' || value === '1' || value === '';

function selector(resource: Resource, query: URLSearchParams): Selector {
  const labels = labelSelector(query.get('labelSelector') ?? '');
  const fields = fieldSelector(query.get('fieldSelector') ?? '', resource.fields);
  return (object) => labels(object) && fields(object);
}

const metaVersion = 'meta.k8s.io/v1';

/** An object without all that is not metadata, as clients may request it. */
const metadataOnly = ({ metadata }: { readonly metadata: JsonObject }): JsonObject => ({
  kind: 'PartialObjectMetadata',
  apiVersion: metaVersion,
  metadata,
});

/**
 * The form that the client prefers (kubernetes.io/docs/reference/using-api/api-concepts, "Alternate representations"). A metadata-only
 * list has a kind of its own.
 */
function acceptedForm({ request }: Exchange, isList: boolean): 'Table' | 'metadata' | 'object' {
  const [preferred = ''] = (request.headers.accept ?? '').split(',');
  const form = /;\s*as=(\w+)/.exec(preferred)?.[1];
  if (form === undefined) return 'object';
  if (form === 'Table') return form;
  if (form === (isList ? 'PartialObjectMetadataList' : 'PartialObjectMetadata')) return 'metadata';
  throw notAcceptable(form, isList);
}

function renderer(exchange: Exchange): (object: ApiObject) => JsonObject {
  const { path, store, now } = exchange;
  switch (acceptedForm(exchange, false)) {
    case 'Table':
      return (object) => table(path.resource, [object], { resourceVersion: String(store.version) }, now());
    case 'metadata':
      return metadataOnly;
    case 'object':
      return (object) => object;
  }
}

function list(exchange: Exchange): JsonObject {
  const { path, query, store, now } = exchange;
  const matches = selector(path.resource, query);
  const all = store.list(path.resource, path.namespace).filter(matches).toSorted(byKey);
  const { items, metadata } = page(all, query, String(store.version));
  switch (acceptedForm(exchange, true)) {
    case 'Table':
      return table(path.resource, items, metadata, now());
    case 'metadata':
      return { kind: 'PartialObjectMetadataList', apiVersion: metaVersion, metadata, items: items.map(metadataOnly) };
    case 'object':
      return { kind: `${path.resource.kind}List`, apiVersion: groupVersion(path.resource), metadata, items };
  }
}

const key = ({ metadata }: ApiObject): string => `${metadata.namespace ?? ''}/${metadata.name}`;
const byKey = (a: ApiObject, b: ApiObject): number => (key(a) < key(b) ? -1 : 1);

/** The part of a list that `limit` and `continue` ask for. Later pages have the objects of their own time, not of the first page's. */
function page(
  all: readonly ApiObject[],
  query: URLSearchParams,
  version: string,
): { readonly items: readonly ApiObject[]; readonly metadata: JsonObject } {
  const limit = Number(query.get('limit') ?? 0);
  if (!Number.isInteger(limit) || limit < 0) throw badRequest('limit is not a non-negative integer');
  const { start, resourceVersion } = parseContinue(query.get('continue') ?? '', version);
  const rest = start === undefined ? all : all.filter((object) => key(object) > start);
  const items = limit === 0 ? rest : rest.slice(0, limit);
  const last = items.at(-1);
  if (last === undefined || items.length === rest.length) return { items, metadata: { resourceVersion } };
  const token = Buffer.from(JSON.stringify({ start: key(last), resourceVersion })).toString('base64url');
  const isSelected = query.has('labelSelector') || query.has('fieldSelector');
  const remaining = isSelected ? {} : { remainingItemCount: rest.length - items.length };
  return { items, metadata: { resourceVersion, continue: token, ...remaining } };
}

function parseContinue(token: string, version: string): { readonly start?: string; readonly resourceVersion: string } {
  if (token === '') return { resourceVersion: version };
  try {
    const { start, resourceVersion } = JSON.parse(Buffer.from(token, 'base64url').toString());
    if (typeof start === 'string' && typeof resourceVersion === 'string') return { start, resourceVersion };
  } catch {
    // Not a token of ours.
  }
  throw badRequest('continue key is not valid');
}

function watch(exchange: Exchange): void {
  const { path, query, store, response } = exchange;
  const matchesName: Selector = path.name === undefined ? () => true : ({ metadata }) => metadata.name === path.name;
  const matches = selector(path.resource, query);
  const timeout = Number(query.get('timeoutSeconds') ?? dayInSeconds);
  if (!Number.isFinite(timeout) || timeout < 0) throw badRequest('timeoutSeconds is not a number');
  const request = {
    resource: path.resource,
    namespace: path.namespace,
    matches: (object: ApiObject) => matchesName(object) && matches(object),
    resourceVersion: query.get('resourceVersion') ?? '',
    bookmarks: isTrue(query.get('allowWatchBookmarks') ?? 'false'),
    initialEvents: query.get('sendInitialEvents') === 'true',
    timeoutSeconds: Math.min(timeout, dayInSeconds),
    render: renderer(exchange),
  };
  streamWatch(store, request, response);
}

function writeOptions({ path: { resource }, query, request, response }: Exchange): WriteOptions {
  const warn = collectWarnings(response);
  const validation = query.get('fieldValidation') ?? 'Warn';
  if (!isFieldValidation(validation))
    throw badRequest(`fieldValidation: Unsupported value: ${JSON.stringify(validation)}`);
  return {
    dryRun: query.get('dryRun') === 'All',
    warn,
    manager: query.get('fieldManager') ?? request.headers['user-agent']?.split('/')[0] ?? 'unknown',
    checkFields: (draft) => dropUnknownFields({ resource, validation, warn }, draft),
  };
}

const requireBody = (body: Json | undefined): Json => {
  if (body === undefined) throw badRequest('the request has no body');
  return body;
};

/** The verb under which RBAC knows a request (`RequestInfoFactory` of kube-apiserver). */
function requestVerb({ request, path, query }: Exchange): string {
  switch (request.method) {
    case 'POST':
      return 'create';
    case 'PUT':
      return 'update';
    case 'PATCH':
      return 'patch';
    case 'DELETE':
      return path.name === undefined ? 'deletecollection' : 'delete';
    default:
      if (isTrue(query.get('watch') ?? 'false')) return 'watch';
      return path.name === undefined ? 'list' : 'get';
  }
}

/** Throws a 403 unless the user may do this. A list or watch of one name, by a field selector, counts as a request for that object. */
function requireAccess({ path, query, store, user }: Exchange, verb: string): void {
  const selected = /^metadata\.name=([^,]+)$/.exec(query.get('fieldSelector') ?? '')?.[1] ?? '';
  const { resource, subresource, namespace, name = selected } = path;
  authorize(store, user, { verb, resource, subresource, namespace, name });
}

async function answerCollection(exchange: Exchange): Promise<void> {
  const { request, response, path, query, registry, store } = exchange;
  const { resource, namespace } = path;
  switch (request.method) {
    case 'GET':
      if (isTrue(query.get('watch') ?? 'false')) return watch(exchange);
      return sendJson(response, 200, list(exchange));
    case 'POST': {
      if (resource.namespaced && namespace === undefined) throw methodNotAllowed();
      const body = requireBody(await readBody(request));
      return sendJson(response, 201, await registry.create({ resource, namespace, body, ...writeOptions(exchange) }));
    }
    case 'DELETE': {
      const options = parseDeleteOptions(await readBody(request), query);
      const matches = selector(resource, query);
      const items = store.list(resource, namespace).filter(matches);
      for (const { metadata } of items) {
        if (!store.get(resource, metadata.namespace, metadata.name)) continue;
        registry.delete({ resource, namespace: metadata.namespace, name: metadata.name, status: false }, options);
      }
      return sendJson(response, 200, {
        kind: `${resource.kind}List`,
        apiVersion: groupVersion(resource),
        metadata: { resourceVersion: String(store.version) },
        items,
      });
    }
    default:
      throw methodNotAllowed();
  }
}

async function answerObject(exchange: Exchange, name: string): Promise<void> {
  const { request, response, path, query, registry, tokens } = exchange;
  const { resource, namespace, subresource } = path;
  const target = { resource, namespace, name, status: subresource === 'status' };
  if (subresource === 'binding' && resource.kind === 'Pod' && request.method === 'POST') {
    registry.bind(target, requireBody(await readBody(request)));
    return sendJson(response, 201, success({}, 201));
  }
  if (subresource === 'eviction' && resource.kind === 'Pod' && request.method === 'POST') {
    registry.delete(target, checkEviction(registry.read(target), requireBody(await readBody(request)), exchange.store));
    return sendJson(response, 201, success({}, 201));
  }
  if (subresource === 'token' && resource.kind === 'ServiceAccount' && request.method === 'POST') {
    const { metadata } = registry.read(target);
    const status = { token: tokens.issue(metadata.namespace ?? '', name) };
    return sendJson(response, 201, { kind: 'TokenRequest', apiVersion: 'authentication.k8s.io/v1', metadata, status });
  }
  if (subresource !== undefined && (subresource !== 'status' || resource.status === 'none')) throw noSuchPath();
  switch (request.method) {
    case 'GET':
      if (isTrue(query.get('watch') ?? 'false')) return watch(exchange);
      return sendJson(response, 200, renderer(exchange)(registry.read(target)));
    case 'PUT': {
      const body = requireBody(await readBody(request));
      return sendJson(response, 200, await registry.replace(target, body, writeOptions(exchange)));
    }
    case 'PATCH': {
      const body = requireBody(await readBody(request));
      const type = mediaType(request);
      const manager = query.get('fieldManager') ?? '';
      if (type.startsWith('application/apply-patch') && manager === '')
        throw invalid(patchOptions, '', [required('fieldManager', 'is required for apply patch')]);
      const { created, object } = await registry.patch(target, type, body, {
        ...writeOptions(exchange),
        force: isTrue(query.get('force') ?? 'false'),
        requireCreate: () => requireAccess(exchange, 'create'),
      });
      return sendJson(response, created ? 201 : 200, object);
    }
    case 'DELETE': {
      if (subresource !== undefined) throw methodNotAllowed();
      const { removed, object } = registry.delete(target, parseDeleteOptions(await readBody(request), query));
      if (!removed || resource.returnsDeleted) return sendJson(response, 200, object);
      const { uid } = object.metadata;
      return sendJson(response, 200, success({ name, kind: resource.plural, group: resource.group, uid }));
    }
    default:
      throw methodNotAllowed();
  }
}

const patchOptions = { group: 'meta.k8s.io', plural: '', kind: 'PatchOptions' };

/** Answers a request for objects. Throws a `StatusError` if it is refused. */
export async function answer(exchange: Exchange): Promise<void> {
  const { name } = exchange.path;
  requireAccess(exchange, requestVerb(exchange));
  return name === undefined ? answerCollection(exchange) : answerObject(exchange, name);
}

/** Lengths of all warnings together and, if they exceed that, of each of them (apiserver, `warning` filter). */
const maxWarningLength = { all: 4096, each: 256 };

/** Values of `Warning` headers (RFC 7234, 5.5), without duplicates. As in Go, each byte of the UTF-8 text is one character. */
function warningHeaders(texts: readonly string[]): readonly string[] {
  const unique = [...new Set(texts.map((text) => text.replaceAll(/\p{Cc}/gu, ' ')))];
  const tooLong = unique.join('').length > maxWarningLength.all;
  return unique
    .map((text) => (tooLong && text.length > maxWarningLength.each ? text.slice(0, maxWarningLength.each) : text))
    .map((text) => `299 - "${text.replaceAll(/["\\]/g, '\\$&')}"`)
    .map((value) => Buffer.from(value).toString('latin1'));
}

/** Formats an age as kubectl does: `12s`, `5m`, `3h`, `2d`. */
function formatAge(since: string, now: Date): string {
  const seconds = Math.max(0, Math.floor((now.getTime() - Date.parse(since)) / 1000));
  if (seconds < 120) return `${seconds}s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)}m`;
  return seconds < 172_800 ? `${Math.floor(seconds / 3600)}h` : `${Math.floor(seconds / 86_400)}d`;
}

/** Converts objects to the `Table` of meta.k8s.io/v1 that `kubectl get` prints. */
function table(resource: Resource, objects: readonly ApiObject[], metadata: JsonObject, now: Date): JsonObject {
  const plain = resource.columns.filter(({ wide }) => !wide);
  const wide = resource.columns.filter((column) => column.wide);
  const column = (name: string, priority = 0): JsonObject => ({
    name,
    type: 'string',
    format: name === 'Name' ? 'name' : '',
    description: '',
    priority,
  });
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata,
    columnDefinitions: [
      column('Name'),
      ...plain.map(({ name }) => column(name)),
      column('Age'),
      ...wide.map(({ name }) => column(name, 1)),
    ],
    rows: objects.map((object) => ({
      cells: [
        object.metadata.name,
        ...plain.map(({ read }) => read(object)),
        formatAge(object.metadata.creationTimestamp, now),
        ...wide.map(({ read }) => read(object)),
      ],
      object: metadataOnly(object),
    })),
  };
}
