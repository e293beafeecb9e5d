import { PassThrough } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { loadConfiguration, loadSources, loadSupport, runCucumber } from '@cucumber/cucumber/api';
import type { Envelope } from '@cucumber/messages';

const features = (path: string) => fileURLToPath(new URL(`../../features/${path}`, import.meta.url));

// Ours is the only output: Cucumber's own goes nowhere.
const silence = () => ({
  cwd: features('..'),
  stdout: new PassThrough().resume(),
  stderr: new PassThrough().resume(),
});

/**
 * Without a wish, the scenarios that show each documented promise. Those that take longer than all others together run only
 * where their tag is asked for.
 */
function selectionOf({ paths, tags, all }: Selection): string {
  if (tags !== undefined) return tags.includes('@long') ? tags : `(${tags}) and not @long`;
  return all || paths.length > 0 ? 'not @long' : '@documented and not @long';
}

export interface Selection {
  /** Feature files and folders, `FILE:LINE` too; empty for all that are shipped. */
  readonly paths: readonly string[];
  readonly tags?: string;
  /** Where neither paths nor tags say which: more than one or two for each promise. */
  readonly all?: boolean;
}

/** Those that wait for a kubelet's back-off: longer than any other, so they are begun first. */
const longest = '@needs:scaled-clock';

/**
 * The scenarios that are asked for, as `FILE:LINE`, in the order of the files but for the longest, which come first; and what
 * does not parse.
 */
export async function listScenarios(
  selection: Selection,
): Promise<{ readonly scenarios: readonly string[]; readonly errors: readonly string[] }> {
  const tags = selectionOf(selection);
  const paths = selection.paths.length > 0 ? selection.paths : [features('*.feature')];
  const all = await load(paths, tags);
  const first = new Set((await load(paths, `(${tags}) and ${longest}`)).scenarios);
  return { ...all, scenarios: [...first, ...all.scenarios.filter((scenario) => !first.has(scenario))] };
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
  /** Runs one scenario, `FILE:LINE` as `listScenarios` gives it; what comes of it is in the messages. */
  run(scenario: string, onMessage: (message: Envelope) => void): Promise<void>;
}

/** Cucumber in this process, with the steps loaded. `session`: the name under which it is registered. */
export async function loadFeatureRunner(session: string): Promise<FeatureRunner> {
  const environment = silence();
  const provided = {
    import: [features('support/*.ts'), features('steps/*.ts')],
    worldParameters: { session },
  };
  const { runConfiguration } = await loadConfiguration({ file: false, provided }, environment);
  // Loaded once: a module that defines steps does so when it is first imported, and never again.
  const loaded = await loadSupport(runConfiguration, environment);
  // Each run looks for the files again that it will not load: it is told of none that take time to find.
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
