/**
 * Compiles all that the package ships into dist/lib, in the same folders as the sources, because Node strips no types below
 * node_modules: `node packaging/compile.ts`. `npm pack` starts it; dist/lib is made anew each time.
 *
 * Written: the code as JavaScript, the public API's types, the feature files, profiles and whatever else lies among the
 * sources, and the bundles that programs are started from, so that nobody who installs the package needs a bundler.
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { withCompiledPaths } from './program-paths.ts';
import { reachableTypes } from './public-types.ts';

const project = fileURLToPath(new URL('..', import.meta.url));
const lib = join(project, 'dist/lib');

/** Run from dist/lib: what is usually made on demand, by the code that would make it. */
const bundles = `
  const { agentProgram, probeProgram } = await import('./clusters/sandbox/bundles.js');
  const { daemonProgram } = await import('./fakes/fuse/bundle.js');
  const { embeddedProgram } = await import('./fakes/store/start-store.js');
  const made = [
    (await agentProgram()).command.at(-1),
    (await daemonProgram()).command[1],
    await embeddedProgram(),
    await probeProgram(process.cwd() + '/src/observers/probe/main.js'),
  ];
  for (const script of made) if (!/\\/dist\\/lib\\/dist\\//.test(script)) throw new Error('no bundle of ' + script);
`;

const folders = '{bin,clusters,fakes,features,recovery,reports,src}';

function emit(): void {
  const tsc = join(project, 'node_modules/typescript/bin/tsc');
  execFileSync(process.execPath, [tsc, '-p', join(project, 'packaging/tsconfig.json')], { stdio: 'inherit' });
}

function turnPaths(): void {
  for (const path of globSync('**/*.js', { cwd: lib })) {
    const file = join(lib, path);
    writeFileSync(file, withCompiledPaths(readFileSync(file, 'utf8')));
  }
}

function keepPublicTypes(): void {
  const read = (path: string) => readFileSync(join(lib, path), 'utf8');
  const needed = reachableTypes('src/index.d.ts', read);
  for (const path of globSync('**/*.d.ts', { cwd: lib })) {
    if (needed.has(path)) writeFileSync(join(lib, path), withCompiledPaths(read(path)));
    else rmSync(join(lib, path));
  }
}

function copyTheRest(): void {
  for (const entry of globSync(`${folders}/**/*`, { cwd: project, withFileTypes: true })) {
    const path = relative(project, join(entry.parentPath, entry.name));
    if (!entry.isFile() || /\.(ts|md)$/.test(path)) continue;
    mkdirSync(dirname(join(lib, path)), { recursive: true });
    copyFileSync(join(project, path), join(lib, path));
  }
}

function makeBundles(): void {
  const args = ['--input-type=module', '--eval', bundles];
  execFileSync(process.execPath, args, { cwd: lib, stdio: 'inherit' });
}

rmSync(lib, { recursive: true, force: true });
emit();
turnPaths();
keepPublicTypes();
copyTheRest();
makeBundles();
