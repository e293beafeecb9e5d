import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { version } from '../../src/version.ts';
import { modelProblems } from '../testing/model-problems.ts';

const job = parse(readFileSync(new URL('../../docs/how-to/rekindle-job.yaml', import.meta.url), 'utf8'));

test('the Job is one by the OpenAPI of Kubernetes', () => {
  expect(job).toMatchObject({ apiVersion: 'batch/v1', kind: 'Job' });
  expect(modelProblems(job, 'V1Job')).toEqual([]);
});

test('the Job runs the image of this version once, and its results have a place', () => {
  const { backoffLimit, template } = job.spec;
  const [container] = template.spec.containers;
  expect({ backoffLimit, restartPolicy: template.spec.restartPolicy }).toEqual({
    backoffLimit: 0,
    restartPolicy: 'Never',
  });
  expect(container.image).toBe(`rekindle/cli:${version}`);
  const [{ name, mountPath }] = container.volumeMounts;
  expect(container.args).toContain(mountPath);
  expect(template.spec.volumes).toMatchObject([{ name }]);
});

test.each([
  [
    'a field that is none',
    { spec: { template: { spec: { containers: [{ name: 'a', arguments: [] }] } } } },
    'arguments',
  ],
  ['a number as text', { spec: { backoffLimit: '0' } }, 'backoffLimit is a string'],
  ['a list that is none', { spec: { template: { spec: { volumes: {} } } } }, 'volumes is no list'],
  ['a label that is no text', { metadata: { labels: { a: 1 } } }, 'labels.a is a number'],
])('%s is found', (_what, spoilt, says) => {
  expect(modelProblems(spoilt, 'V1Job')).toEqual([expect.stringContaining(says)]);
});
