import { readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { projectFiles } from './project-files.ts';

/** One TypeScript file of the project and what it imports. */
interface SourceFile {
  readonly path: string;
  readonly lines: number;
  readonly imports: readonly string[];
  readonly types: readonly string[];
  readonly loadsKoffi: boolean;
}

const isTest = (path: string) => /\.test\.ts$|\/(?:fixtures|testing)\//.test(path);

function readSource(path: string): SourceFile {
  const text = readFileSync(path, 'utf8');
  const imports = [...text.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)].map(([, to = '']) =>
    normalize(join(dirname(path), to)),
  );
  return {
    path,
    lines: text.split('\n').length - 1,
    imports,
    types: [...text.matchAll(/^(?:export )?(?:abstract )?(?:interface|type|class) (\w+)/gm)].map(
      ([, name = '']) => name,
    ),
    loadsKoffi: /from 'koffi'|import\('koffi'\)|require\('koffi'\)/.test(text),
  };
}

/** Folders that import each other, directly or through others; each list is one component. A folder is the first two levels. */
export function folderCycles(files: readonly Pick<SourceFile, 'path' | 'imports'>[]): readonly (readonly string[])[] {
  const folder = (path: string) => dirname(path).split('/').slice(0, 2).join('/');
  const edges = new Map<string, Set<string>>();
  for (const { path, imports } of files) {
    const from = folder(path);
    const targets = edges.get(from) ?? new Set();
    edges.set(from, targets);
    for (const to of imports.map(folder))
      if (to !== from && !to.startsWith(`${from}/`) && !from.startsWith(`${to}/`)) targets.add(to);
  }
  const reach = (start: string) => {
    const seen = new Set<string>();
    const open = [start];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      for (const to of edges.get(next) ?? []) {
        if (!seen.has(to)) {
          seen.add(to);
          open.push(to);
        }
      }
    }
    return seen;
  };
  const reached = new Map([...edges.keys()].map((name) => [name, reach(name)]));
  const components = new Map<string, readonly string[]>();
  for (const [name, targets] of reached) {
    if (!targets.has(name)) continue;
    const component = [...targets].filter((to) => reached.get(to)?.has(name)).sort();
    components.set(component.join(), component);
  }
  return [...components.values()];
}

/** Names that several files give to a type. */
export function homonyms(files: readonly Pick<SourceFile, 'path' | 'types'>[]): ReadonlyMap<string, readonly string[]> {
  const places = new Map<string, string[]>();
  for (const { path, types } of files) for (const name of types) places.set(name, [...(places.get(name) ?? []), path]);
  return new Map([...places].filter(([, paths]) => paths.length > 1).sort(([, a], [, b]) => b.length - a.length));
}

if (import.meta.main) {
  const all = projectFiles(/\.ts$/).map(readSource);
  const production = all.filter(({ path }) => !isTest(path));
  const write = (text: string) => process.stdout.write(`${text}\n`);
  const total = (files: readonly SourceFile[]) => files.reduce((sum, { lines }) => sum + lines, 0);
  for (const [folder, files] of Object.entries(
    Object.groupBy(production, ({ path }) =>
      path
        .split('/')
        .slice(0, path.startsWith('features') || path.startsWith('reports') ? 1 : 2)
        .join('/'),
    ),
  ).sort()) {
    if (files && files.length > 1)
      write(`${String(files.length).padStart(6)} files ${String(total(files)).padStart(7)} lines  ${folder}`);
  }
  const importers = Map.groupBy(
    production.flatMap(({ path, imports }) => imports.map((to) => ({ path, to }))),
    ({ to }) => to,
  );
  const confetti = production.filter(({ path, lines }) => lines < 30 && importers.get(path)?.length === 1);
  const names = homonyms(production);
  const cycles = folderCycles(production);
  write(`production: ${production.length} files, ${total(production)} lines (goal: 550 files, 49,000 lines)`);
  write(`tests: ${all.length - production.length} files, ${total(all) - total(production)} lines`);
  write(`files under 30 lines with one importer: ${confetti.length}`);
  write(
    `loading koffi: ${production
      .filter(({ loadsKoffi }) => loadsKoffi)
      .map(({ path }) => path)
      .join(', ')}`,
  );
  write(`folder cycles: ${cycles.length}${cycles.map((cycle) => `\n  ${cycle.join(' ')}`).join('')}`);
  write(
    `type names with several definitions: ${names.size}${[...names].map(([name, paths]) => `\n  ${name}: ${paths.join(' ')}`).join('')}`,
  );
  if (process.argv.includes('--confetti')) for (const { path, lines } of confetti) write(`  ${path} ${lines}`);
}
