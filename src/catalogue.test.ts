import { describe, expect, it } from 'vitest';
import { claimRows, claimsAsMarkdown, claimsAsText, faultsAsText, parseScenarios, whereItRuns } from './catalogue.ts';
import { sigkill } from './faults/daemon.ts';

const feature = `@C1
Feature: Crash
  Words that a Scenario: is not made of, but for this one.

  # @L4 of a comment
  Rule: it recovers

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

    Scenario: it goes on
      Given a pod
`;

describe('parseScenarios', () => {
  it('takes each scenario with its rule, its tags and those above it', () => {
    expect(parseScenarios(feature)).toMatchObject([
      {
        feature: 'Crash',
        rule: 'it recovers',
        name: 'it reads again',
        tags: ['@C1', '@C2', '@fault:sigkill', '@needs:kubectl'],
        claims: ['C1', 'C2'],
        faults: ['sigkill'],
      },
      { name: 'it never writes by <way>', claims: ['C1', 'L2'], faults: [] },
      { name: 'it goes on', tags: ['@C1'] },
    ]);
  });
});

describe('the claims', () => {
  const rows = claimRows(parseScenarios(feature), (tags) => (tags.includes('@needs:kubectl') ? 'kind' : 'sandbox'));

  it('are all there, those too that nothing shows', () => {
    expect(rows.find(({ claim }) => claim === 'D1')?.shownBy).toEqual([]);
    expect(rows.find(({ claim }) => claim === 'P1')?.shownBy).toMatchObject([{ where: 'Kubernetes' }]);
    expect(claimsAsText(rows)).toContain('no scenario yet');
  });

  it('have a row in the reference for each cluster', () => {
    expect(claimsAsMarkdown(rows)).toContain(
      '| it reads again | kind |\n|  |  | it never writes by &lt;way>; it goes on | sandbox |',
    );
  });
});

describe('whereItRuns', () => {
  it.each([
    [[], /^sandbox, Kubernetes$/],
    [['@long'], /^sandbox, Kubernetes, only where @long/],
    [['@needs:scaled-clock'], /^sandbox$/],
    [['@needs:quick-restarts'], /^sandbox$/],
    [['@needs:real-kubelet'], /^Kubernetes$/],
    [['@needs:memory-cgroups'], /^sandbox, Kubernetes; needs memory cgroups/],
    [['@needs:kubectl'], /^sandbox, Kubernetes; needs kubectl/],
    [['@needs:scaled-clock', '@needs:real-kubelet'], /^nowhere$/],
  ] as const)('says of %j that it is %s', (tags, expected) => {
    expect(whereItRuns(tags)).toMatch(expected);
  });
});

it('a fault is listed with what has to come of it and the scenarios that inject it', () => {
  const text = faultsAsText([sigkill], parseScenarios(feature));
  expect(text).toContain('sigkill  (C3)');
  expect(text).toContain(`expected: ${sigkill.expected}`);
  expect(text).toContain('scenario: it reads again');
  expect(text).not.toContain('it goes on');
});
