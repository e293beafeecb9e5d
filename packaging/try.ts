/**
 * Uses the package as a stranger does: packs it, installs the tarball into an empty folder without a compiler on the PATH, and
 * from there crashes a mount, judges a promise, and calls the API from a test of TypeScript: `npm run pack:try [folder]`.
 *
 * Status 0: all of it worked. 1: something did not. 3: the tarball's dependencies are not to be had here, so nothing was tried.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { examplesOf } from '../docs/examples/examples-of.ts';
import { foreignPrograms } from './foreign-programs.ts';

const project = fileURLToPath(new URL('..', import.meta.url));
const page = 'docs/how-to/call-it-from-your-own-tests.md';
const cannotTry = 3;
/** What npm says where a package can neither be fetched nor found in its cache. */
const noPackages =
  /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENOTCACHED|ERR_SOCKET_TIMEOUT|E401|E403)\b/;

const say = (line: string) => process.stdout.write(`${line}\n`);

/** Runs a program with its output shown. Throws where it does not end with status 0. */
function run(program: string, args: readonly string[], options: { readonly cwd: string; readonly path: string }): void {
  say(`\n$ ${[program, ...args].join(' ')}`);
  execFileSync(program, args, { cwd: options.cwd, stdio: 'inherit', env: environment(options.path) });
}

/** Without what npm gave to this script: the stranger's npm reads settings of its own. */
function environment(path: string): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^npm_(config_ignore_scripts|lifecycle|package)/.test(name),
  );
  return { ...Object.fromEntries(kept), PATH: path };
}

function pack(destination: string): string {
  const args = ['pack', '--ignore-scripts=false', '--json', '--silent', `--pack-destination=${destination}`];
  const printed = execFileSync('npm', args, { cwd: project, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  const [packed] = JSON.parse(printed) as [{ readonly filename: string; readonly size: number }];
  say(`packed ${packed.filename}: ${(packed.size / 1e6).toFixed(1)} MB`);
  return join(destination, packed.filename);
}

/** Says why not where the dependencies cannot be had. */
function install(tarball: string, cwd: string, path: string): string | undefined {
  const args = ['install', '--prefer-offline', '--no-fund', '--no-audit', '--loglevel=error', tarball];
  say(`\n$ npm ${args.join(' ')}   # PATH=${path}`);
  const { status, stdout, stderr } = spawnSync('npm', args, { cwd, env: environment(path), encoding: 'utf8' });
  if (status === 0) return undefined;
  const said = `${stdout}${stderr}`;
  const why = noPackages.exec(said)?.[0];
  if (why === undefined) throw new Error(`npm install failed with status ${status}:\n${said}`);
  return why;
}

/** The documented test of a driver's own suite, in the folder in which the package is installed. */
function writeDocumentedTest(cwd: string): string {
  for (const example of examplesOf(readFileSync(join(project, page), 'utf8')))
    if (example.kind === 'file') writeFileSync(join(cwd, example.path), example.text);
  // What the driver's own project has: vitest and a compiler.
  symlinkSync(join(project, 'node_modules/vitest'), join(cwd, 'node_modules/vitest'));
  const compilerOptions = {
    strict: true,
    exactOptionalPropertyTypes: true,
    module: 'nodenext',
    target: 'es2022',
    lib: ['es2023', 'dom'],
    types: [],
    noEmit: true,
    skipLibCheck: false,
  };
  const include = ['rekindle.test.ts'];
  // Vitest's own declarations are not the package's.
  const paths = { vitest: ['./vitest.d.ts'] };
  writeFileSync(join(cwd, 'vitest.d.ts'), 'export const test: any, expect: any;');
  writeFileSync(
    join(cwd, 'tsconfig.json'),
    JSON.stringify({ compilerOptions: { ...compilerOptions, paths }, include }),
  );
  return 'rekindle.test.ts';
}

function tryIt(folder: string): number {
  const tarball = pack(folder);
  const empty = join(folder, 'empty');
  mkdirSync(empty);
  const bare = foreignPrograms(['node', 'npm', 'sh'], join(folder, 'programs'), process.env.PATH ?? '');
  const why = install(tarball, empty, bare);
  if (why !== undefined) {
    say(`skipped: the dependencies are neither in npm's cache nor to be fetched (${why})`);
    return cannotTry;
  }
  const rekindle = 'node_modules/.bin/rekindle';
  const used = { cwd: empty, path: `${bare}${delimiter}${process.env.PATH}` };
  run(rekindle, ['crash'], used);
  run(rekindle, ['conform', '--tags', '@C2'], used);
  const test = writeDocumentedTest(empty);
  run('node', [join(project, 'node_modules/typescript/bin/tsc'), '-p', '.'], used);
  run('node', [join(project, 'node_modules/vitest/vitest.mjs'), 'run', '--root', empty, test], used);
  say('\nThe package works from an empty folder.');
  return 0;
}

const folder = mkdtempSync(join(tmpdir(), 'rekindle-package-'));
try {
  process.exitCode = tryIt(folder);
} catch (error) {
  say(`\nfailed: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
