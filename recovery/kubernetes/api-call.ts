import type { ApiRequest, Transport } from './transport.ts';

/** A request in the terms of RBAC. */
export interface ApiCall {
  readonly verb: string;
  /** Empty for the core group. */
  readonly group: string;
  readonly resource: string;
  readonly namespace: string | undefined;
  /** Also set for a list or watch that selects one name. */
  readonly name: string | undefined;
}

/** Translates a request for RBAC like the API server (kubernetes.io/docs/reference/access-authn-authz/authorization). */
export function toApiCall({ method, path }: Pick<ApiRequest, 'method' | 'path'>): ApiCall {
  const url = new URL(path, 'http://api');
  const [, root = '', ...rest] = url.pathname.split('/').map(decodeURIComponent);
  const [group = '', ...places] = root === 'api' ? ['', ...rest.slice(1)] : [rest[0], ...rest.slice(2)];
  const isNamespaced = places[0] === 'namespaces' && places.length > 2;
  const [plural = '', named, subresource] = isNamespaced ? places.slice(2) : places;
  const resource = subresource === undefined ? plural : `${plural}/${subresource}`;
  const selected = /^metadata\.name=(.+)$/.exec(url.searchParams.get('fieldSelector') ?? '')?.[1];
  const name = named ?? selected;
  return { verb: verbOf(method, url, named), group, resource, namespace: isNamespaced ? places[1] : undefined, name };
}

function verbOf(method: ApiRequest['method'], { searchParams }: URL, name: string | undefined): string {
  if (method === 'PATCH') return 'patch';
  if (method === 'POST') return 'create';
  if (searchParams.get('watch') === 'true') return 'watch';
  return name === undefined ? 'list' : 'get';
}

/** Calls `onCall` before each request. */
export function observeRequests({ json, stream }: Transport, onCall: (call: ApiCall) => void): Transport {
  const observe = <T>(request: ApiRequest, send: (request: ApiRequest) => Promise<T>): Promise<T> => {
    onCall(toApiCall(request));
    return send(request);
  };
  return { json: (request) => observe(request, json), stream: (request) => observe(request, stream) };
}
