import { expect, it } from 'vitest';
import { formatResults, parseResults } from './results.ts';

const suite = (...cases: readonly string[]) => `<testsuites><testsuite>${cases.join('')}</testsuite></testsuites>`;
const testcase = (name: string, status: string, body = '') =>
  `<testcase name="${name}" classname="x" status="${status}" time="0.1">${body}</testcase>`;

it('counts the tests in focus and groups skipped ones by reason', () => {
  const results = parseResults(
    suite(
      testcase('[BeforeSuite]', 'passed'),
      testcase('[It] Identity Service &#34;Probe&#34; works', 'passed'),
      testcase('[It] Controller Service works', 'skipped', '<skipped message="skipped"></skipped>'),
      testcase('[It] Controller Service pages', 'pending', '<skipped message="pending"></skipped>'),
      testcase(
        '[It] Node Service expands',
        'skipped',
        '<skipped message="skipped - NodeExpandVolume not supported"></skipped>',
      ),
      testcase('[It] Node Service publishes', 'failed', '<failure message="no"></failure>'),
    ),
  );
  expect(results).toEqual({
    passed: 1,
    failed: ['Node Service publishes'],
    skipped: new Map([['NodeExpandVolume not supported', ['Node Service expands']]]),
  });
  expect(formatResults('Identity and Node', results)).toBe(
    [
      'failed: Node Service publishes',
      'skipped: NodeExpandVolume not supported',
      '  Node Service expands',
      'csi-sanity, Identity and Node: 1 passed, 1 failed, 1 skipped',
      '',
    ].join('\n'),
  );
});

it('counts failures outside of tests', () => {
  expect(parseResults(suite(testcase('[AfterSuite]', 'failed', '<failure message="no"></failure>'))).failed).toEqual([
    '[AfterSuite]',
  ]);
});
