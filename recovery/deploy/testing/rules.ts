import type { V1PolicyRule } from '@kubernetes/client-node';
import type { ApiCall } from '../../kubernetes/api-call.ts';

/** Whether a rule lets a call pass. */
export function allows(rule: V1PolicyRule, { verb, group, resource, name }: ApiCall): boolean {
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
