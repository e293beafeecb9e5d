import type { JsonObject } from './api-object.ts';
import type { Resource } from './resource.ts';
import { groupVersion } from './resource.ts';
import { resources } from './resources.ts';

const allVerbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];

function entries(resource: Resource): readonly JsonObject[] {
  const { plural, kind, namespaced, shortNames, categories = [] } = resource;
  const entry = (name: string, verbs: readonly string[], entryKind = kind): JsonObject => ({
    name,
    singularName: name === plural ? kind.toLowerCase() : '',
    namespaced,
    kind: entryKind,
    verbs,
  });
  return [
    { ...entry(plural, allVerbs), shortNames, categories },
    ...(resource.status === 'none' ? [] : [entry(`${plural}/status`, ['get', 'patch', 'update'])]),
    ...(kind === 'Pod'
      ? [entry('pods/binding', ['create'], 'Binding'), entry('pods/eviction', ['create'], 'Eviction')]
      : []),
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

/** The discovery documents, by path without a trailing slash. */
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
    ...[...new Set(resources.map(groupVersion))].map((apiVersion): [string, JsonObject] => [
      `/${rootPath(apiVersion)}`,
      resourceList(
        resources.filter((resource) => groupVersion(resource) === apiVersion),
        apiVersion,
      ),
    ]),
  ]);
}

const rootPath = (apiVersion: string): string => `${apiVersion.includes('/') ? 'apis' : 'api'}/${apiVersion}`;

/**
 * The minimum of OpenAPI v3 that kubectl needs before it sends an object, by path: PATCH supports `fieldValidation`, so that the server
 * validates fields instead of kubectl. There are no schemas.
 */
export function openapi(): ReadonlyMap<string, JsonObject> {
  const versions = [...new Set(resources.map(groupVersion))];
  return new Map<string, JsonObject>([
    [
      '/openapi/v3',
      {
        paths: Object.fromEntries(
          versions.map((version) => [
            rootPath(version),
            { serverRelativeURL: `/openapi/v3/${rootPath(version)}?hash=rekindle` },
          ]),
        ),
      },
    ],
    ...versions.map((version): [string, JsonObject] => [
      `/openapi/v3/${rootPath(version)}`,
      {
        openapi: '3.0.0',
        info: { title: 'Kubernetes', version: 'rekindle-fake' },
        paths: Object.fromEntries(
          resources
            .filter((resource) => groupVersion(resource) === version)
            .map(({ group, version: kindVersion, kind, plural, namespaced }) => [
              `/${rootPath(version)}/${namespaced ? 'namespaces/{namespace}/' : ''}${plural}/{name}`,
              {
                patch: {
                  parameters: [{ name: 'fieldValidation', in: 'query', schema: { type: 'string' } }],
                  responses: {},
                  'x-kubernetes-action': 'patch',
                  'x-kubernetes-group-version-kind': { group, version: kindVersion, kind },
                },
              },
            ]),
        ),
      },
    ]),
  ]);
}
