/**
 * Compiles everything that the package ships into dist/lib, in the same folders as the sources, because Node does not strip
 * types below node_modules: `node packaging/compile.ts`. `npm pack` runs it. It deletes dist/lib and creates it again.
 *
 * The output is the code as JavaScript, the types of the public API, the feature files, profiles and other files among the
 * sources, and the bundles from which programs are started, so that users of the package do not need a bundler.
 */
import { copyFileSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execaSync } from 'execa';
import { reachableTypes, withCompiledPaths } from './compiled-code.ts';

const project = fileURLToPath(new URL('..', import.meta.url));
const lib = join(project, 'dist/lib');

/** Runs in dist/lib. Creates the bundles, which are otherwise created on demand, by the same code. */
const bundles = `
  const { agentProgram, probeProgram } = await import('./clusters/sandbox/bundles.js');
  const { daemonProgram } = await import('./fakes/fuse/bundle.js');
  const { embeddedProgram } = await import('./fakes/store/start-store.js');
  const scripts = [
    (await agentProgram()).command.at(-1),
    (await daemonProgram()).command[1],
    await embeddedProgram(),
    await probeProgram(process.cwd() + '/src/observers/probe/main.js'),
  ];
  for (const script of scripts) if (!/\\/dist\\/lib\\/dist\\//.test(script)) throw new Error('no bundle for ' + script);
`;

const folders = '{bin,clusters,fakes,features,recovery,reports,src}';

function emit(): void {
  const tsc = join(project, 'node_modules/typescript/bin/tsc');
  execaSync(process.execPath, [tsc, '-p', join(project, 'packaging/tsconfig.json')], { stdio: 'inherit' });
}

function rewritePaths(): void {
  for (const path of globSync('**/*.js', { cwd: lib })) {
    const file = join(lib, path);
    writeFileSync(file, withCompiledPaths(readFileSync(file, 'utf8')));
  }
}

function prunePrivateTypes(): void {
  const read = (path: string) => readFileSync(join(lib, path), 'utf8');
  const needed = reachableTypes('src/index.d.ts', read);
  for (const path of globSync('**/*.d.ts', { cwd: lib })) {
    if (needed.has(path)) writeFileSync(join(lib, path), withCompiledPaths(read(path)));
    else rmSync(join(lib, path));
  }
}

function copyOtherFiles(): void {
  for (const entry of globSync(`${folders}/**/*`, { cwd: project, withFileTypes: true })) {
    const path = relative(project, join(entry.parentPath, entry.name));
    if (!entry.isFile() || /\.(ts|md)$/.test(path)) continue;
    mkdirSync(dirname(join(lib, path)), { recursive: true });
    copyFileSync(join(project, path), join(lib, path));
  }
}

function createBundles(): void {
  const args = ['--input-type=module', '--eval', bundles];
  execaSync(process.execPath, args, { cwd: lib, stdio: 'inherit' });
}

rmSync(lib, { recursive: true, force: true });
emit();
rewritePaths();
prunePrivateTypes();
copyOtherFiles();
createBundles();
