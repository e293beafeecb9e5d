import { expect, it } from 'vitest';
import { toApiCall } from './api-call.ts';
import type { ApiRequest } from './transport.ts';

it.each<[ApiRequest['method'], string, ReturnType<typeof toApiCall>]>([
  ['GET', '/api/v1/pods?limit=500', call('list', '', 'pods')],
  ['GET', '/api/v1/pods?watch=true&resourceVersion=1', call('watch', '', 'pods')],
  ['GET', '/api/v1/persistentvolumes/a', call('get', '', 'persistentvolumes', undefined, 'a')],
  ['GET', '/api/v1/namespaces/n', call('get', '', 'namespaces', undefined, 'n')],
  ['POST', '/api/v1/namespaces/n/events', call('create', '', 'events', 'n')],
  ['POST', '/api/v1/namespaces/n/pods/p/eviction', call('create', '', 'pods/eviction', 'n', 'p')],
  ['PATCH', '/api/v1/namespaces/n/events/e?x=y', call('patch', '', 'events', 'n', 'e')],
  ['GET', '/apis/data.fluid.io/v1alpha1/namespaces/n/datasets/d', call('get', 'data.fluid.io', 'datasets', 'n', 'd')],
  [
    'GET',
    '/apis/apps/v1/namespaces/n/daemonsets?watch=true&fieldSelector=metadata.name%3Dd',
    call('watch', 'apps', 'daemonsets', 'n', 'd'),
  ],
  [
    'GET',
    '/apis/apps/v1/namespaces/n/daemonsets?fieldSelector=metadata.name%3Dd',
    call('list', 'apps', 'daemonsets', 'n', 'd'),
  ],
])('translates %s %s for RBAC', (method, path, expected) => {
  expect(toApiCall({ method, path })).toEqual(expected);
});

function call(verb: string, group: string, resource: string, namespace?: string, name?: string) {
  return { verb, group, resource, namespace, name };
}
