import type { JsonObject } from './api-object.ts';
import { groupVersion } from './resource.ts';
import { resources } from './resources.ts';

/**
 * The least of OpenAPI v3 that kubectl asks for before it sends an object: that PATCH takes `fieldValidation`, so that
 * the server and not kubectl checks fields. Schemas are not described. By path.
 */
export function openapi(): ReadonlyMap<string, JsonObject> {
  const versions = [...new Set(resources.map(groupVersion))];
  const place = (version: string): string => (version.includes('/') ? `apis/${version}` : `api/${version}`);
  return new Map<string, JsonObject>([
    [
      '/openapi/v3',
      {
        paths: Object.fromEntries(
          versions.map((version) => [
            place(version),
            { serverRelativeURL: `/openapi/v3/${place(version)}?hash=rekindle` },
          ]),
        ),
      },
    ],
    ...versions.map((version): [string, JsonObject] => [
      `/openapi/v3/${place(version)}`,
      {
        openapi: '3.0.0',
        info: { title: 'Kubernetes', version: 'rekindle-fake' },
        paths: Object.fromEntries(
          resources
            .filter((resource) => groupVersion(resource) === version)
            .map(({ group, version: of, kind, plural, namespaced }) => [
              `/${place(version)}/${namespaced ? 'namespaces/{namespace}/' : ''}${plural}/{name}`,
              {
                patch: {
                  parameters: [{ name: 'fieldValidation', in: 'query', schema: { type: 'string' } }],
                  responses: {},
                  'x-kubernetes-action': 'patch',
                  'x-kubernetes-group-version-kind': { group, version: of, kind },
                },
              },
            ]),
        ),
      },
    ]),
  ]);
}
