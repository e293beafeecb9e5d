import { expect, it } from 'vitest';
import { shippedScenarios } from '../gherkin.ts';
import { listScenarios, planNodes } from './run-features.ts';

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

it('a run has all documented scenarios by default, those that wait before those that work, and those without a crash last', async () => {
  const { scenarios, errors } = await listScenarios({ paths: [] });
  const shipped = shippedScenarios();
  const found = scenarios.map((location) => {
    const [, uri = '', line] = /([^/]+):(\d+)$/.exec(location) ?? [];
    return shipped.findLast((each) => each.uri === uri && each.line <= Number(line));
  });
  expect(errors).toEqual([]);
  expect(new Set(found.map((each) => each?.name))).toEqual(
    new Set(shipped.filter(({ tags }) => tags.includes('@documented')).map(({ name }) => name)),
  );
  const ranks = found.map((each) => {
    const tags = each?.tags ?? [];
    const order = ['@L5', '@waits'].findIndex((tag) => tags.includes(tag));
    if (order >= 0) return order;
    return tags.some((tag) => tag.startsWith('@fault:')) ? 2 : 3;
  });
  expect(ranks).toEqual(ranks.toSorted());
});
