import { expect, it } from 'vitest';
import { shippedScenarios } from '../gherkin.ts';
import { planNodes } from './run-features.ts';

/** The scenario that is about a node condition, or about none. */
function scenarioUnder(condition: string | undefined): string {
  const found = shippedScenarios().find(({ tags }) => {
    const own = tags.filter((tag) => tag.startsWith('@node:'));
    return condition === undefined ? own.length === 0 : own.includes(`@node:${condition}`);
  });
  if (!found) throw new Error(`no scenario is about ${condition}`);
  return `features/${found.uri.replace(/^features\//, '')}:${found.line}`;
}

const planned = (conditions: readonly (string | undefined)[], ofRun: readonly string[] = []) =>
  planNodes(conditions.map(scenarioUnder), ofRun).map((each) => each.conditions);

it('a scenario runs on a node with the conditions of its tags and of the run', () => {
  expect(planned(['slow-listing'])).toEqual([['slow-listing']]);
  expect(planned([undefined, 'slow-listing'], ['unreadable-file'])).toEqual([
    ['unreadable-file'],
    ['slow-listing', 'unreadable-file'],
  ]);
});

it('scenarios whose conditions can be combined share a node, and no others do', () => {
  const neighbours = ['hung-neighbours', 'silent-neighbours'];
  expect(planned(['silent-neighbours', 'slow-listing', 'hung-neighbours', undefined])).toEqual([
    neighbours,
    ['slow-listing'],
    neighbours,
    [],
  ]);
  expect(planned(['kubelet-namespace', 'no-kubelet-process'])).toEqual([['kubelet-namespace'], ['no-kubelet-process']]);
});
