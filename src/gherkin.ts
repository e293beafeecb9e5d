import { globSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { generateMessages } from '@cucumber/gherkin';
import { type GherkinDocument, IdGenerator, type Pickle, SourceMediaType } from '@cucumber/messages';

/** A scenario of a feature file, without its steps. */
export interface ScenarioSource {
  /** File name in the folder of the features, and the line of the scenario in it. */
  readonly uri: string;
  readonly line: number;
  readonly feature: string;
  readonly rule?: string;
  /** As in the file: that of an outline has placeholders. */
  readonly name: string;
  /** Tags of the scenario, its rule and its feature. */
  readonly tags: readonly string[];
  /** The names under which it runs: one for each row of an outline. */
  readonly runsAs: readonly string[];
}

const features = fileURLToPath(new URL('../features', import.meta.url));

/** Absolute path of a feature file, as a record names it. */
export const featurePath = (uri: string): string => resolve(features, '..', uri);

/** The scenarios of all shipped feature files, in the order in which they run. */
export function shippedScenarios(): readonly ScenarioSource[] {
  const files = globSync('*.feature', { cwd: features }).toSorted();
  return files.flatMap((file) => parseScenarios(readFileSync(join(features, file), 'utf8'), file));
}

/** The scenarios of one feature file. @throws if it does not parse */
export function parseScenarios(text: string, uri: string): readonly ScenarioSource[] {
  const options = {
    includeSource: false,
    includeGherkinDocument: true,
    includePickles: true,
    newId: IdGenerator.uuid(),
  };
  const messages = generateMessages(text, uri, SourceMediaType.TEXT_X_CUCUMBER_GHERKIN_PLAIN, options);
  const error = messages.find(({ parseError }) => parseError)?.parseError;
  if (error) throw new Error(`${uri}: ${error.message}`);
  const document = messages.find(({ gherkinDocument }) => gherkinDocument)?.gherkinDocument;
  const pickles = messages.flatMap(({ pickle }) => pickle ?? []);
  const index = indexDocument(document ?? { comments: [] });
  return [...Map.groupBy(pickles, ({ astNodeIds }) => astNodeIds[0] ?? '')].flatMap(([id, own]) => {
    const heading = index.headings.get(id);
    const [first] = own;
    if (heading === undefined || first === undefined) return [];
    return [{ uri, ...heading, tags: tagsOf(first), runsAs: own.map(({ name }) => name) }];
  });
}

export const tagsOf = ({ tags }: Pickle): readonly string[] => [...new Set(tags.map(({ name }) => name))];

type Heading = Pick<ScenarioSource, 'feature' | 'rule' | 'name' | 'line'>;

/** What a document says about its nodes, by their ids: the headings of scenarios, and the keywords of steps. */
export interface DocumentIndex {
  readonly headings: ReadonlyMap<string, Heading>;
  readonly keywords: ReadonlyMap<string, string>;
}

export function indexDocument({ feature }: GherkinDocument): DocumentIndex {
  const headings = new Map<string, Heading>();
  const keywords = new Map<string, string>();
  for (const child of feature?.children ?? []) {
    const rule = child.rule && { rule: child.rule.name };
    for (const { scenario, background } of child.rule?.children ?? [child]) {
      const steps = [...(scenario?.steps ?? []), ...(background?.steps ?? [])];
      for (const { id, keyword } of steps) keywords.set(id, keyword.trim());
      if (scenario) {
        const { id, name, location } = scenario;
        headings.set(id, { feature: feature?.name ?? '', ...rule, name, line: location.line });
      }
    }
  }
  return { headings, keywords };
}
