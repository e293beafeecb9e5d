import type { V1PolicyRule } from '@kubernetes/client-node';
import type { ApiRequest } from '../../kubernetes/transport.ts';

/** A request as role-based access sees it. */
export interface Call {
  readonly verb: string;
  /** Empty for the core group. */
  readonly group: string;
  readonly resource: string;
  readonly namespace: string | undefined;
  /** Also of a list or watch that asks for one name alone. */
  readonly name: string | undefined;
}

/** Translates a request as the API server does (kubernetes.io/docs/reference/access-authn-authz/authorization). */
export function callOf({ method, path }: Pick<ApiRequest, 'method' | 'path'>): Call {
  const url = new URL(path, 'http://api');
  const [, root = '', ...rest] = url.pathname.split('/').map(decodeURIComponent);
  const [group = '', ...places] = root === 'api' ? ['', ...rest.slice(1)] : [rest[0], ...rest.slice(2)];
  const isNamespaced = places[0] === 'namespaces' && places.length > 2;
  const [resource = '', named] = isNamespaced ? places.slice(2) : places;
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

/** Whether a rule lets a call pass. */
export function allows(rule: V1PolicyRule, { verb, group, resource, name }: Call): boolean {
  return (
    rule.verbs.includes(verb) &&
    rule.apiGroups?.includes(group) === true &&
    rule.resources?.includes(resource) === true &&
    (rule.resourceNames === undefined || (name !== undefined && rule.resourceNames.includes(name)))
  );
}

/** Each single right in a rule: a verb on a resource, under one name where names are given. */
export function rightsOf({
  verbs,
  apiGroups = [],
  resources = [],
  resourceNames = [undefined as never],
}: V1PolicyRule) {
  return verbs.flatMap((verb) =>
    apiGroups.flatMap((group) =>
      resources.flatMap((resource) => resourceNames.map((name) => ({ verb, group, resource, name }))),
    ),
  );
}
