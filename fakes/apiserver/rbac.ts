import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Json, JsonObject } from './api-object.ts';
import { listAt, stringAt } from './api-object.ts';
import type { Resource } from './resource.ts';
import { findResource } from './resources.ts';
import { StatusError } from './status.ts';
import type { Storage } from './storage.ts';

/** `admin` may do everything, like a member of `system:masters`. A service account may do what RBAC objects grant. */
export type User = { readonly kind: 'admin' } | ServiceAccount;

interface ServiceAccount {
  readonly kind: 'service-account';
  readonly namespace: string;
  readonly name: string;
}

/** What RBAC decides about. `name` is empty for a collection. */
export interface AccessRequest {
  readonly verb: string;
  readonly resource: Resource;
  readonly subresource: string | undefined;
  readonly namespace: string | undefined;
  readonly name: string;
}

/** Issues and recognises bearer tokens: the administrator's, which is given, and those of service accounts. */
export class Tokens {
  readonly #adminToken: string;

  constructor(adminToken: string) {
    this.#adminToken = adminToken;
  }

  issue(namespace: string, name: string): string {
    const claim = Buffer.from(`${namespace}/${name}`).toString('base64url');
    return `${claim}.${this.#sign(claim)}`;
  }

  /** Returns the user of a token, or undefined if it is not one of this server's. */
  identify(token: string): User | undefined {
    if (token === this.#adminToken) return { kind: 'admin' };
    const [claim = '', signature = ''] = token.split('.');
    const expected = this.#sign(claim);
    if (signature.length !== expected.length || !timingSafeEqual(Buffer.from(signature), Buffer.from(expected)))
      return undefined;
    const [namespace = '', name = ''] = Buffer.from(claim, 'base64url').toString().split('/');
    return { kind: 'service-account', namespace, name };
  }

  #sign(claim: string): string {
    return createHmac('sha256', this.#adminToken).update(claim).digest('base64url');
  }
}

const rbacGroup = 'rbac.authorization.k8s.io';

/** Throws a 403, worded as the RBAC authorizer's, unless the user may do this. */
export function authorize(store: Storage, user: User, request: AccessRequest): void {
  if (user.kind === 'admin') return;
  const { namespace, resource, subresource, verb } = request;
  const clusterWide = grantedRules(store, 'clusterrolebindings', undefined, user);
  const inNamespace = namespace === undefined ? [] : grantedRules(store, 'rolebindings', namespace, user);
  if ([...clusterWide, ...inNamespace].some((rule) => allows(rule, request))) return;
  const plural = subresource === undefined ? resource.plural : `${resource.plural}/${subresource}`;
  const object = `${resource.group === '' ? plural : `${plural}.${resource.group}`}${request.name === '' ? '' : ` "${request.name}"`}`;
  const scope = namespace === undefined ? 'at the cluster scope' : `in the namespace "${namespace}"`;
  throw new StatusError(
    403,
    'Forbidden',
    `${object} is forbidden: User "system:serviceaccount:${user.namespace}:${user.name}" cannot ${verb} resource "${plural}" in API group "${resource.group}" ${scope}`,
  );
}

/** The rules of all roles that the bindings of one kind grant to a service account. */
function grantedRules(
  store: Storage,
  plural: 'clusterrolebindings' | 'rolebindings',
  namespace: string | undefined,
  account: ServiceAccount,
): readonly Json[] {
  return list(store, plural, namespace)
    .filter((binding) => listAt(binding, 'subjects').some((subject) => isSubject(subject, account)))
    .flatMap((binding) => {
      const roles =
        stringAt(binding, 'roleRef', 'kind') === 'Role' ? list(store, 'roles', namespace) : list(store, 'clusterroles');
      const name = stringAt(binding, 'roleRef', 'name');
      return roles
        .filter((role) => stringAt(role, 'metadata', 'name') === name)
        .flatMap((role) => listAt(role, 'rules'));
    });
}

function list(store: Storage, plural: string, namespace?: string): readonly JsonObject[] {
  const resource = findResource(rbacGroup, 'v1', plural);
  return resource ? store.list(resource, namespace) : [];
}

function isSubject(subject: Json, { namespace, name }: ServiceAccount): boolean {
  const subjectName = stringAt(subject, 'name');
  if (stringAt(subject, 'kind') === 'ServiceAccount')
    return subjectName === name && stringAt(subject, 'namespace') === namespace;
  return (
    stringAt(subject, 'kind') === 'Group' &&
    ['system:authenticated', 'system:serviceaccounts', `system:serviceaccounts:${namespace}`].includes(subjectName)
  );
}

function allows(rule: Json, { verb, resource, subresource, name }: AccessRequest): boolean {
  const plural = subresource === undefined ? resource.plural : `${resource.plural}/${subresource}`;
  const has = (field: string, value: string): boolean => {
    const values = listAt(rule, field);
    return values.includes('*') || values.includes(value);
  };
  const names = listAt(rule, 'resourceNames');
  return (
    has('verbs', verb) &&
    has('apiGroups', resource.group) &&
    (has('resources', plural) ||
      (subresource !== undefined && listAt(rule, 'resources').includes(`*/${subresource}`))) &&
    (names.length === 0 || names.includes(name))
  );
}
