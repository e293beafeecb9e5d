/**
 * Uses the package as a new user does: packs it, installs the tarball into an empty folder without a compiler on the PATH, and
 * from there crashes a mount, runs scenarios, and runs the documented test that calls the API: `npm run pack:try`.
 *
 * Exit status 0: everything worked. 1: a step failed. 3: the dependencies are not available, so nothing was tried.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execaSync } from 'execa';
import { parseExamples } from '../docs/examples/examples.ts';
import { foreignPrograms, install, pack, userEnvironment } from './tarball.ts';

const project = fileURLToPath(new URL('..', import.meta.url));
const modules = join(project, 'node_modules');
const page = join(project, 'docs/how-to/call-it-from-your-own-tests.md');
const cannotTryStatus = 3;

/** Renders every report of a stored run with the user's version of Node. */
const everyReport = `
  import * as rekindle from 'rekindle';
  const run = await rekindle.readRun('results/latest');
  for (const name of Object.keys(rekindle).filter((name) => name.startsWith('render')))
    console.log(process.version, name, (await rekindle[name](run)).length);
`;

const say = (line: string) => process.stdout.write(`${line}\n`);

/** Writes the files of the documented example, the compiler's settings, and a link to vitest, as a driver's project has them. */
function layOutDriverProject(folder: string): void {
  for (const example of parseExamples(readFileSync(page, 'utf8')))
    if (example.kind === 'file') writeFileSync(join(folder, example.path), example.text);
  symlinkSync(join(modules, 'vitest'), join(folder, 'node_modules/vitest'));
  // The declarations of vitest would need those of Node.
  writeFileSync(join(folder, 'vitest.d.ts'), 'export const test: any, expect: any;\n');
  const compilerOptions = {
    strict: true,
    exactOptionalPropertyTypes: true,
    module: 'nodenext',
    target: 'es2022',
    lib: ['es2023', 'dom'],
    types: [],
    noEmit: true,
    paths: { vitest: ['./vitest.d.ts'] },
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.test.ts'] }));
}

function tryPackage(folder: string): number {
  const tarball = pack(folder);
  say(`packed: ${(tarball.bytes / 1e6).toFixed(1)} MB`);
  const empty = join(folder, 'empty');
  mkdirSync(empty);
  const bare = foreignPrograms(['node', 'npm', 'sh'], join(folder, 'programs'), process.env.PATH ?? '');
  const reason = install(tarball.path, empty, bare);
  if (reason !== undefined) {
    say(`skipped: the package's dependencies cannot be installed here: ${reason}`);
    return cannotTryStatus;
  }
  say('installed, with no compiler on the PATH');
  const env = userEnvironment(`${bare}${delimiter}${process.env.PATH}`);
  const run = (program: string, ...args: readonly string[]) => {
    say(`\n$ ${[program, ...args].join(' ')}`);
    execaSync(program, args, { cwd: empty, stdio: 'inherit', env, extendEnv: false });
  };
  run('node_modules/.bin/rekindle', 'crash');
  run('node_modules/.bin/rekindle', 'conform', '--tags', '@C2');
  run('node', '--input-type=module', '--eval', everyReport);
  layOutDriverProject(empty);
  run('node', join(modules, 'typescript/bin/tsc'), '-p', '.');
  run('node', join(modules, 'vitest/vitest.mjs'), 'run', '--root', empty);
  say('\nThe package works from an empty folder.');
  return 0;
}

const folder = mkdtempSync(join(tmpdir(), 'rekindle-package-'));
try {
  process.exitCode = tryPackage(folder);
} catch (error) {
  say(`\nfailed: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
