import { globSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { PassThrough } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { loadConfiguration, loadSupport } from '@cucumber/cucumber/api';
import { generateMessages } from '@cucumber/gherkin';
import { IdGenerator, type PickleStep, SourceMediaType } from '@cucumber/messages';
import { parseSync } from 'oxc-parser';
import { beforeAll, describe, expect, it } from 'vitest';
import { expectations } from '../src/self-test/expectations.ts';
import { readMutants } from './mutant.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

/** The checks by which steps judge, as the sources of the steps have them: through functions of the steps and of `src/scenario`. */
interface Source {
  /** Names that each top-level function uses, by its name; steps have the number of their line for a name. */
  readonly uses: ReadonlyMap<string, ReadonlySet<string>>;
  /** Files of imported names. */
  readonly imports: ReadonlyMap<string, string>;
}

const sources = new Map<string, Source>();

function read(file: string): Source {
  const known = sources.get(file);
  if (known) return known;
  const text = readFileSync(file, 'utf8');
  const { program } = parseSync(file, text);
  const uses = new Map<string, ReadonlySet<string>>();
  const imports = new Map<string, string>();
  for (const node of program.body) {
    if (node.type === 'ImportDeclaration' && node.source.value.startsWith('.'))
      for (const { local } of node.specifiers) imports.set(local.name, resolve(dirname(file), node.source.value));
    const declared = node.type === 'ExportNamedDeclaration' ? node.declaration : node;
    if (declared?.type === 'FunctionDeclaration') uses.set(declared.id?.name ?? '', namesIn(declared));
    if (declared?.type === 'ExpressionStatement')
      uses.set(String(text.slice(0, node.start).split('\n').length), namesIn(declared));
  }
  const source = { uses, imports };
  sources.set(file, source);
  return source;
}

function namesIn(node: object): ReadonlySet<string> {
  const names = new Set<string>();
  JSON.stringify(node, (key, value) => {
    if (value?.type === 'Identifier') names.add(value.name);
    return key === 'parent' ? undefined : value;
  });
  return names;
}

/** Names of the checks that a function of a file may call. */
function checksOf(file: string, name: string, seen = new Set<string>()): readonly string[] {
  const { uses, imports } = read(file);
  return [...(uses.get(name) ?? [])].flatMap((used) => {
    const from = imports.get(used) ?? file;
    if (seen.has(`${from} ${used}`)) return [];
    seen.add(`${from} ${used}`);
    if (/\/src\/checks\//.test(from)) return [used];
    return /\/(features\/steps|src\/scenario)\//.test(from) ? checksOf(from, used, seen) : [];
  });
}

function stepsIn(file: string): readonly PickleStep[] {
  const options = {
    includeSource: false,
    includeGherkinDocument: false,
    includePickles: true,
    newId: IdGenerator.uuid(),
  };
  const text = readFileSync(join(root, file), 'utf8');
  return generateMessages(text, file, SourceMediaType.TEXT_X_CUCUMBER_GHERKIN_PLAIN, options).flatMap(
    ({ pickle }) => pickle?.steps ?? [],
  );
}

/** Thens that no breakage here turns red, and why not. */
const unbroken: Readonly<Record<string, string>> = {
  'the mount at /data in the pod is idmapped': 'only on Kubernetes, with Linux 6.12',
  'it read within the budget once daemon and agent were ready': 'only on Kubernetes',
  'nothing is left of any version': 'only on Kubernetes',
  'a new pod "new-app" of the volume reads the same files': 'only with a driver of another shape',
  'a new pod "new-app" reads the same directory': 'only with a driver of another shape',
  'nothing of the node shows in the pod below /data': 'a recovered subPath turns the step before it red',
  'the node of the pod has its label, and is the only one that runs its daemon':
    'a label that is not set turns the step before it red',
  'at /data the pod reads on': 'a pod that does not turns the steps of its crash red',
  'the neighbours of the node are as they were': 'no agent of ours touches them by one edit',
  "the other tenant's pod was given nothing": 'the step that refuses its dataset turns red first',
};

describe('each Then of a scenario', () => {
  /** For each text of a step: where it is defined, and the checks that it calls. */
  const judged = new Map<string, { readonly definition: string; readonly checks: readonly string[] }>();
  const mutants = readMutants();
  const broken = new Set([
    ...mutants.flatMap(({ thens }) => thens),
    ...expectations.flatMap(({ thens }) => thens ?? []),
  ]);

  beforeAll(async () => {
    const environment = { cwd: root, stdout: new PassThrough().resume(), stderr: new PassThrough().resume() };
    const provided = { import: ['features/support/*.ts', 'features/steps/*.ts'], paths: ['features/*.feature'] };
    const { runConfiguration } = await loadConfiguration({ file: false, provided }, environment);
    // Cucumber's types leave out what it has found.
    const { stepDefinitions } = (await loadSupport(runConfiguration, environment)) as unknown as Loaded;
    for (const { type, text } of globSync('features/*.feature', { cwd: root }).flatMap(stepsIn)) {
      if (type !== 'Outcome') continue;
      const step = stepDefinitions.find((each) => each.matchesStepName(text));
      const [file, line] = [resolve(root, step?.uri ?? ''), String(step?.line)];
      judged.set(text, { definition: `${file}:${line}`, checks: checksOf(file, line) });
    }
  }, 120_000);

  it('judges by checks, each of which fails some history, or is turned red by a breakage', () => {
    const definitions = new Set([...broken].map((text) => judged.get(text)?.definition));
    const open = [...judged].flatMap(([text, { definition, checks }]) =>
      checks.some(isCheck) || definitions.has(definition) || text in unbroken ? [] : [text],
    );
    expect(open).toEqual([]);
  });

  it('is one of the features, if a breakage names it', () => {
    expect([...broken, ...Object.keys(unbroken)].filter((text) => !judged.has(text))).toEqual([]);
  });
});

interface Loaded {
  readonly stepDefinitions: readonly {
    readonly uri: string;
    readonly line: number;
    matchesStepName(text: string): boolean;
  }[];
}

/** Whether a function is a check that its tests show failing: they have a history that it must fail. */
function isCheck(name: string): boolean {
  const isDefined = checkFiles.some(({ source }) => source.includes(`export const ${name} = defineCheck(`));
  return isDefined && checkFiles.some(({ test }) => failsIn(test, name));
}

const checkFiles = globSync('src/checks/*.test.ts', { cwd: root }).map((test) => ({
  source: readFileSync(join(root, test.replace('.test.ts', '.ts')), 'utf8'),
  test: readFileSync(join(root, test), 'utf8'),
}));

const failsIn = (test: string, name: string) => test.includes(name) && /'fail'/.test(test);
