import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { PassThrough } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { loadConfiguration, loadSources, loadSupport, runCucumber } from '@cucumber/cucumber/api';
import type { Envelope } from '@cucumber/messages';
import { combinations } from '../../clusters/sandbox/conditions/catalogue.ts';
import { parseScenarios, type ScenarioSource } from '../gherkin.ts';
import type { PlannedScenario } from './runners.ts';

const features = (path: string) => fileURLToPath(new URL(`../../features/${path}`, import.meta.url));

// Cucumber's own output is discarded.
const silence = () => ({
  cwd: features('..'),
  stdout: new PassThrough().resume(),
  stderr: new PassThrough().resume(),
});

/**
 * By default, the scenarios of the documented promises, or those of drivers of any shape. Scenarios tagged @long take longer than all others together and run only
 * if the expression names the tag.
 */
function selectionOf({ paths, tags, all, ofDataset = true }: Selection): string {
  if (tags !== undefined) return tags.includes('@long') ? tags : `(${tags}) and not @long`;
  return all || paths.length > 0 ? 'not @long' : `${ofDataset ? '@documented' : '@driver'} and not @long`;
}

export interface Selection {
  /** Feature files and folders, `FILE:LINE` too; empty for all that are shipped. */
  readonly paths: readonly string[];
  readonly tags?: string;
  /** Without paths and tags: all scenarios but the long ones, not only the documented ones. */
  readonly all?: boolean;
  /** The volume of the profile is the document's Dataset, which is the default. */
  readonly ofDataset?: boolean;
}

/**
 * The tags of scenarios that start earlier than those after them: first those that wait for a kubelet's back-off, which take longest; next
 * those in which something must not happen; last those that need no crash and fill what is left of the time.
 */
const longest = [
  ['@needs:scaled-clock'],
  ['@L5', '@needs:real-kubelet'],
  ['@waits'],
  ['@needs:quick-restarts'],
  ['@fault:kill-1'],
  ['@needs:kubectl', '@fault:sigkill'],
  ['@D1'],
  ['@fault:two-datasets'],
  ['@fault:sigkill'],
  ['@needs:kubectl'],
  ['@V1'],
];

/** Lists the selected scenarios as `FILE:LINE`, the longest first and otherwise in the order of the files; and parse errors. */
export async function listScenarios(
  selection: Selection,
): Promise<{ readonly scenarios: readonly string[]; readonly errors: readonly string[] }> {
  const paths = selection.paths.length > 0 ? selection.paths : [features('*.feature')];
  const { scenarios, errors } = await load(paths, selectionOf(selection));
  const tagsOf = tagReader();
  const ranks = new Map(
    scenarios.map((location) => {
      const tags = tagsOf(location);
      const rank = longest.findIndex((wanted) => wanted.every((tag) => tags.includes(tag)));
      return [location, rank < 0 ? longest.length : rank];
    }),
  );
  return { scenarios: scenarios.toSorted((a, b) => (ranks.get(a) ?? 0) - (ranks.get(b) ?? 0)), errors };
}

/** Reads the tags of scenarios by `FILE:LINE`, and each file once. */
function tagReader(): (location: string) => readonly string[] {
  const files = new Map<string, readonly ScenarioSource[]>();
  return (location) => {
    const [, file = '', line = '1'] = /^(.*):(\d+)$/.exec(location) ?? [];
    const scenarios = files.get(file) ?? parseScenarios(readFileSync(resolve(features('..'), file), 'utf8'), file);
    files.set(file, scenarios);
    return scenarios.findLast((scenario) => scenario.line <= Number(line))?.tags ?? [];
  };
}

const nodeTag = '@node:';

export function onAnyNode(locations: readonly string[]): readonly PlannedScenario[] {
  return locations.map((location) => ({ location, conditions: [] }));
}

/**
 * Each scenario, `FILE:LINE`, with the conditions of the node that it must run on: the run's, and those among its tags. Scenarios whose
 * conditions can be combined get the same node, which has the conditions of all of them.
 */
export function planNodes(locations: readonly string[], ofRun: readonly string[]): readonly PlannedScenario[] {
  const tagsOf = tagReader();
  const planned = locations.map((location) => {
    const tags = tagsOf(location);
    return { location, own: tags.filter((tag) => tag.startsWith(nodeTag)).map((tag) => tag.slice(nodeTag.length)) };
  });
  const isCombined = (combination: readonly string[], own: readonly string[]) =>
    own.length > 0 && own.every((name) => combination.includes(name));
  return planned.map(({ location, own }) => {
    const combination = combinations.find((each) => isCombined(each, own));
    const shared = combination ? planned.flatMap((each) => (isCombined(combination, each.own) ? each.own : [])) : own;
    return { location, conditions: [...new Set([...ofRun, ...shared])].toSorted() };
  });
}

async function load(paths: readonly string[], tags: string) {
  const environment = silence();
  const provided = { paths: [...paths], tags };
  const { runConfiguration } = await loadConfiguration({ file: false, provided }, environment);
  const { plan, errors } = await loadSources(runConfiguration.sources, environment);
  return {
    scenarios: plan.map(({ uri, location }) => `${uri}:${location.line}`),
    errors: errors.map(({ uri, location, message }) => `${uri}:${location.line}: ${message}`),
  };
}

export interface FeatureRunner {
  /** Runs one scenario, `FILE:LINE`; the messages contain the result. */
  run(scenario: string, onMessage: (message: Envelope) => void): Promise<void>;
}

/** Loads Cucumber and the steps into this process. `session`: the name of a registered session. */
export async function loadFeatureRunner(session: string): Promise<FeatureRunner> {
  const environment = silence();
  const provided = {
    import: [features('support/*.ts'), features('steps/*.ts')],
    worldParameters: { session },
  };
  const { runConfiguration } = await loadConfiguration({ file: false, provided }, environment);
  // A module defines its steps only when it is first imported.
  const loaded = await loadSupport(runConfiguration, environment);
  // Each run would search for these files again without loading them, so it gets a single path.
  const support = {
    ...loaded,
    originalCoordinates: { ...loaded.originalCoordinates, importPaths: [fileURLToPath(import.meta.url)] },
  };
  return {
    async run(scenario, onMessage) {
      const sources = { ...runConfiguration.sources, paths: [scenario] };
      await runCucumber({ ...runConfiguration, sources, support }, environment, onMessage);
    },
  };
}
