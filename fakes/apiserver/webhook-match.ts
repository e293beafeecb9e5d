import type { ApiObject, Json, JsonObject } from './api-object.ts';
import { listAt, objectAt, stringAt } from './api-object.ts';
import type { Resource } from './resource.ts';

/** What is about to be created, as webhooks are chosen by it. */
export interface Creation {
  readonly resource: Resource;
  readonly object: ApiObject;
  /** Labels of its namespace; empty for what has none. */
  readonly namespaceLabels: Readonly<Record<string, string>>;
}

const has = (list: readonly Json[], value: string): boolean => list.includes('*') || list.includes(value);

function matchesRule(rule: Json, { resource, object }: Creation): boolean {
  const scope = stringAt(rule, 'scope') || '*';
  const own = object.metadata.namespace === undefined ? 'Cluster' : 'Namespaced';
  return (
    has(listAt(rule, 'operations'), 'CREATE') &&
    has(listAt(rule, 'apiGroups'), resource.group) &&
    has(listAt(rule, 'apiVersions'), resource.version) &&
    (has(listAt(rule, 'resources'), resource.plural) || listAt(rule, 'resources').includes('*/*')) &&
    (scope === '*' || scope === own)
  );
}

/** A LabelSelector; an empty one selects everything. */
function selects(selector: JsonObject, labels: Readonly<Record<string, string>>): boolean {
  const equal = Object.entries(objectAt(selector, 'matchLabels')).every(([key, value]) => labels[key] === value);
  return (
    equal &&
    listAt(selector, 'matchExpressions').every((expression) => {
      const value = labels[stringAt(expression, 'key')];
      const values = listAt(expression, 'values');
      switch (stringAt(expression, 'operator')) {
        case 'In':
          return value !== undefined && values.includes(value);
        case 'NotIn':
          return value === undefined || !values.includes(value);
        case 'Exists':
          return value !== undefined;
        default:
          return value === undefined;
      }
    })
  );
}

/** Whether a webhook of a configuration is to be asked about a creation: rules, namespaceSelector, objectSelector. */
export function isAsked(webhook: JsonObject, creation: Creation): boolean {
  return (
    listAt(webhook, 'rules').some((rule) => matchesRule(rule, creation)) &&
    selects(objectAt(webhook, 'namespaceSelector'), creation.namespaceLabels) &&
    selects(objectAt(webhook, 'objectSelector'), creation.object.metadata.labels ?? {})
  );
}
