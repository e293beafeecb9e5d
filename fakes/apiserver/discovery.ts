import type { JsonObject } from './api-object.ts';
import type { Resource } from './resource.ts';
import { groupVersion } from './resource.ts';
import { resources } from './resources.ts';

const verbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];

function entries(resource: Resource): readonly JsonObject[] {
  const { plural, kind, namespaced, shortNames, categories = [] } = resource;
  const of = (name: string, allowed: readonly string[], as = kind): JsonObject => ({
    name,
    singularName: name === plural ? kind.toLowerCase() : '',
    namespaced,
    kind: as,
    verbs: allowed,
  });
  return [
    { ...of(plural, verbs), shortNames, categories },
    ...(resource.status === 'none' ? [] : [of(`${plural}/status`, ['get', 'patch', 'update'])]),
    ...(kind === 'Pod' ? [of('pods/binding', ['create'], 'Binding')] : []),
  ];
}

const resourceList = (served: readonly Resource[], version: string): JsonObject => ({
  kind: 'APIResourceList',
  apiVersion: 'v1',
  groupVersion: version,
  resources: served.flatMap(entries),
});

function group(name: string): JsonObject {
  const versions = [...new Set(resources.filter((resource) => resource.group === name).map(groupVersion))].map(
    (version) => ({ groupVersion: version, version: version.slice(name.length + 1) }),
  );
  return { name, versions, preferredVersion: versions[0] };
}

/** Answers of the paths that tell what is served; by path without a trailing slash. */
export function discovery(version: string): ReadonlyMap<string, JsonObject> {
  const groups = [...new Set(resources.map((resource) => resource.group))].filter((name) => name !== '');
  return new Map<string, JsonObject>([
    ['/version', { major: '1', minor: '34', gitVersion: version, platform: 'linux/amd64' }],
    ['/api', { kind: 'APIVersions', apiVersion: 'v1', versions: ['v1'], serverAddressByClientCIDRs: [] }],
    ['/apis', { kind: 'APIGroupList', apiVersion: 'v1', groups: groups.map(group) }],
    ...groups.map((name): [string, JsonObject] => [
      `/apis/${name}`,
      { kind: 'APIGroup', apiVersion: 'v1', ...group(name) },
    ]),
    ...[...new Set(resources.map(groupVersion))].map((of): [string, JsonObject] => [
      of.includes('/') ? `/apis/${of}` : `/api/${of}`,
      resourceList(
        resources.filter((resource) => groupVersion(resource) === of),
        of,
      ),
    ]),
  ]);
}
