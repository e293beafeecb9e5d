import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Json, JsonObject } from './api-object.ts';
import { listAt, stringAt } from './api-object.ts';
import type { Resource } from './resource.ts';
import { findResource } from './resources.ts';
import { StatusError } from './status.ts';
import type { Storage } from './storage.ts';

/** A member of the group `system:masters` may do everything, any other user what RBAC objects grant. */
export interface User {
  readonly name: string;
  readonly groups: readonly string[];
}

/** As kubeadm names it. */
export const administrator: User = { name: 'kubernetes-admin', groups: ['system:masters'] };

const serviceAccountPrefix = 'system:serviceaccount:';

/** What RBAC decides about. `name` is empty for a collection. */
export interface AccessRequest {
  readonly verb: string;
  readonly resource: Resource;
  readonly subresource: string | undefined;
  readonly namespace: string | undefined;
  readonly name: string;
}

/** Issues and recognises bearer tokens of service accounts. */
export class Tokens {
  readonly #key = randomBytes(32);

  issue(namespace: string, name: string): string {
    const claim = Buffer.from(`${namespace}/${name}`).toString('base64url');
    return `${claim}.${this.#sign(claim)}`;
  }

  /** Returns the user of a token, or undefined if it is not one of this server's. */
  identify(token: string): User | undefined {
    const [claim = '', signature = ''] = token.split('.');
    const expected = this.#sign(claim);
    if (signature.length !== expected.length || !timingSafeEqual(Buffer.from(signature), Buffer.from(expected)))
      return undefined;
    const [namespace = '', name = ''] = Buffer.from(claim, 'base64url').toString().split('/');
    const groups = ['system:serviceaccounts', `system:serviceaccounts:${namespace}`];
    return { name: `${serviceAccountPrefix}${namespace}:${name}`, groups };
  }

  #sign(claim: string): string {
    return createHmac('sha256', this.#key).update(claim).digest('base64url');
  }
}

const rbacGroup = 'rbac.authorization.k8s.io';

/** Throws a 403, worded as the RBAC authorizer's, unless the user may do this. */
export function authorize(store: Storage, user: User, request: AccessRequest): void {
  if (user.groups.includes('system:masters')) return;
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
    `${object} is forbidden: User "${user.name}" cannot ${verb} resource "${plural}" in API group "${resource.group}" ${scope}`,
  );
}

/** The rules of all roles that the bindings of one kind grant to a user. */
function grantedRules(
  store: Storage,
  plural: 'clusterrolebindings' | 'rolebindings',
  namespace: string | undefined,
  user: User,
): readonly Json[] {
  return list(store, plural, namespace)
    .filter((binding) => listAt(binding, 'subjects').some((subject) => isSubject(subject, user)))
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

function isSubject(subject: Json, { name, groups }: User): boolean {
  const subjectName = stringAt(subject, 'name');
  switch (stringAt(subject, 'kind')) {
    case 'ServiceAccount':
      return name === `${serviceAccountPrefix}${stringAt(subject, 'namespace')}:${subjectName}`;
    case 'Group':
      return subjectName === 'system:authenticated' || groups.includes(subjectName);
    default:
      return subjectName === name;
  }
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
