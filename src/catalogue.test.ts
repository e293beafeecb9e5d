import { readFileSync } from 'node:fs';
import parseTagExpression from '@cucumber/tag-expressions';
import { describe, expect, it } from 'vitest';
import { combinations, conditions } from '../clusters/sandbox/conditions/catalogue.ts';
import {
  claimRows,
  claimsAsMarkdown,
  claimsAsText,
  faultRows,
  faultsAsText,
  renewLastPasses,
  whereItPassed,
} from './catalogue.ts';
import { sigkill } from './faults/daemon.ts';
import { parseScenarios, shippedScenarios } from './gherkin.ts';
import { sampleRun } from './timeline/testing/sample-run.ts';

const feature = `@C1
Feature: Crash
  Words that a Scenario: is not made of, but for this one.

  # @L4 of a comment
  Rule: it recovers

    Background:
      Given a node

    @C2 @fault:sigkill # @L1 is none
    @needs:kubectl
    Scenario: it reads again
      Given a pod

    @L2
    Scenario Outline: it never writes by <way>
      Given a pod

      Examples:
        | way |
        | rm  |
        | mv  |

    Scenario: it continues
      Given a pod
`;
const scenarios = parseScenarios(feature, 'x.feature');
const [reads, writes, goesOn] = scenarios;

describe('the scenarios of a feature file', () => {
  it('have their rule, their tags and those above them, and their lines', () => {
    expect(scenarios).toMatchObject([
      {
        uri: 'x.feature',
        line: 13,
        feature: 'Crash',
        rule: 'it recovers',
        name: 'it reads again',
        tags: ['@C1', '@C2', '@fault:sigkill', '@needs:kubectl'],
        runsAs: ['it reads again'],
      },
      {
        name: 'it never writes by <way>',
        tags: ['@C1', '@L2'],
        runsAs: ['it never writes by rm', 'it never writes by mv'],
      },
      { name: 'it continues', tags: ['@C1'] },
    ]);
  });

  it('are refused with their position if they do not parse', () => {
    expect(() => parseScenarios('Feature: x\n  Scenario: y\n    Given z\n  Then', 'x.feature')).toThrow(
      'x.feature: (4:3)',
    );
  });

  it('are shipped under names that are unique', () => {
    const names = shippedScenarios().flatMap(({ runsAs }) => runsAs);
    expect(names.length).toBeGreaterThan(80);
    expect(new Set(names).size).toBe(names.length);
  });
});

describe('.ci/run on kind', () => {
  const script = readFileSync(new URL('../.ci/run', import.meta.url), 'utf8');
  const part = /^kind_set\(\) \{\n(.*?)^\}/ms.exec(script)?.[1] ?? '';
  const real = /real='([^']*)'/.exec(part)?.[1] ?? '';
  const expression = parseTagExpression((/--tags '([^']*)'/.exec(part)?.[1] ?? '').replace('$real', real));
  const left = shippedScenarios().filter(({ tags }) => !tags.includes('@long') && !expression.evaluate([...tags]));

  it('runs what the sandbox cannot, and features 5 to 9', () => {
    const unique = [
      '@documented',
      '@needs:real-kubelet',
      '@needs:idmapped-fuse',
      '@needs:kubelet-restart',
      '@needs:two-nodes',
    ];
    expect(left.filter(({ tags }) => tags.some((tag) => unique.includes(tag)))).toEqual([]);
    expect(left.filter(({ uri }) => /^[5789]-/.test(uri)).map(({ name }) => name)).toEqual([]);
  });
});

const passes = {
  'it reads again': { sandbox: '2026-01-02', kind: '2026-01-01' },
  'it never writes by rm': { sandbox: '2026-01-03', kind: '2026-01-03' },
  'it never writes by mv': { sandbox: '2026-01-02' },
};

describe('where a scenario last passed', () => {
  it.each([
    [reads, 'sandbox 2026-01-02, kind 2026-01-01'],
    [writes, 'sandbox 2026-01-02'],
    [goesOn, 'has not passed yet'],
  ])('%#: is where all its examples did, on the earliest of their days', (scenario, expected) => {
    expect(scenario && whereItPassed(scenario, passes)).toBe(expected);
  });

  const { record } = sampleRun({ operations: 1 });
  const [template] = record.scenarios;
  const ran = (name: string, status: 'pass' | 'fail', finishedAt: string, cluster = 'sandbox') => ({
    ...record,
    cluster,
    finishedAt,
    scenarios: template ? [{ ...template, name, status }] : [],
  });

  it('is renewed by later passes only', () => {
    const runs = [
      ran('it reads again', 'fail', '2026-02-01T00:00:00Z'),
      ran('it reads again', 'pass', '2026-01-31T00:00:00Z', 'kind'),
      ran('it never writes by rm', 'pass', '2026-01-01T00:00:00Z'),
      ran('it continues', 'pass', '2026-01-01T00:00:00Z'),
    ];
    expect(renewLastPasses({ ...passes, 'it is gone': { sandbox: '2026-01-01' } }, runs, scenarios)).toEqual({
      ...passes,
      'it reads again': { sandbox: '2026-01-02', kind: '2026-01-31' },
      'it continues': { sandbox: '2026-01-01' },
    });
  });
});

describe('the claims', () => {
  const rows = claimRows(scenarios, passes);

  it('are all there, those too that nothing shows', () => {
    expect(rows.find(({ claim }) => claim === 'D1')?.shownBy).toEqual([]);
    expect(rows.find(({ claim }) => claim === 'P1')?.shownBy).toMatchObject([{ where: 'unit tests of doctor' }]);
    expect(claimsAsText(rows)).toContain('no scenario yet');
  });

  it('have a row in the reference for each place', () => {
    expect(claimsAsMarkdown(rows)).toContain(
      '| it reads again | sandbox 2026-01-02, kind 2026-01-01 |\n|  |  | it never writes by &lt;way> | sandbox 2026-01-02 |',
    );
  });
});

it('every tag of a node condition names one, and every condition has a scenario', () => {
  const tagged = shippedScenarios().flatMap(({ tags }) => tags.filter((tag) => tag.startsWith('@node:')));
  expect([...new Set(tagged)].toSorted()).toEqual([...conditions.keys()].map((name) => `@node:${name}`));
});

it('every node condition is in one combination, and CI runs each of these', () => {
  expect(combinations.flat().toSorted()).toEqual([...conditions.keys()]);
  const script = readFileSync(new URL('../.ci/run', import.meta.url), 'utf8');
  const runs = [...script.matchAll(/^nodes \S+ (\S+)/gm)].map(([, names = '']) => names.split(','));
  expect(runs).toEqual(combinations);
});

it('a fault is listed with what has to come of it and the scenarios that inject it', () => {
  const text = faultsAsText(faultRows([sigkill], scenarios));
  expect(text).toContain('sigkill  (C3)');
  expect(text).toContain(`expected: ${sigkill.expected}`);
  expect(text).toContain('scenario: it reads again');
  expect(text).not.toContain('it continues');
});
