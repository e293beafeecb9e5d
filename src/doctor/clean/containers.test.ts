import { expect, test } from 'vitest';
import { parseContainers } from './containers.ts';

test('only containers with the id of a run count', () => {
  const listed = [
    { Id: 'a1', Names: ['/store'], Labels: { 'rekindle.run-id': '20261122-134501-k3f9' } },
    { Id: 'b2', Names: ['/other'], Labels: { 'rekindle.run-id': 'mine' } },
    { Id: 'c3', Names: [], Labels: {} },
  ];
  expect(parseContainers(listed)).toEqual([{ id: 'a1', name: 'store', runId: '20261122-134501-k3f9' }]);
});

test('nodes of a cluster count where it is named by a run, and is not to be kept', () => {
  const node = (Id: string, Labels: Readonly<Record<string, string>>) => ({ Id, Names: [`/${Id}`], Labels });
  const listed = [
    node('of-kind', { 'io.x-k8s.kind.cluster': 'rekindle-20261122-134501-k3f9' }),
    node('of-minikube', { 'name.minikube.sigs.k8s.io': 'rekindle-20261122-134501-k3f9' }),
    node('kept', { 'io.x-k8s.kind.cluster': 'rekindle-kept-20261122-134501-k3f9' }),
    node('of-somebody', { 'io.x-k8s.kind.cluster': 'rekindle-dev' }),
  ];
  expect(parseContainers(listed).map(({ name }) => name)).toEqual(['of-kind', 'of-minikube']);
});
