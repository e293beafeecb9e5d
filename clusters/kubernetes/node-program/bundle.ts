import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, build } from 'esbuild';
import type { HarnessPrograms } from '../../cluster.ts';
import { readerBesideProbe } from '../../sandbox/bundles.ts';
import { bundleFiles, programFiles } from './in-image.ts';

export interface NodeProgramBundle {
  /** Created on demand. Existing files are overwritten. */
  readonly outdir: string;
  /** Sources of the programs that scenarios start on nodes. */
  readonly programs: HarnessPrograms;
}

const readerFile = 'reader.cjs';
const here = fileURLToPath(import.meta.url);
const source = (name: string) => join(dirname(here), `${name}${extname(here)}`);
const project = (path: string) => join(dirname(here), '../../..', path);

/** Writes the node program, and each program that it starts, as a single file: `bundleFiles` and `programFiles`. */
export async function bundleNodeProgram({ outdir, programs }: NodeProgramBundle): Promise<void> {
  const names = Object.keys(programs) as (keyof HarnessPrograms)[];
  const entryPointsWith = (suffix: string) =>
    names
      .filter((name) => programFiles[name].endsWith(suffix))
      .map((name) => entryPoint(programs[name], programFiles[name]));
  const entryPoint = (path: string, file: string) => ({ in: path, out: file.slice(0, -extname(file).length) });
  const common: BuildOptions = {
    outdir,
    bundle: true,
    platform: 'node',
    target: 'node24',
    external: ['koffi'],
    minify: true,
    keepNames: true,
    logLevel: 'warning',
  };
  await build({
    ...common,
    format: 'cjs',
    outExtension: { '.js': '.cjs' },
    banner: { js: "const $url=require('node:url').pathToFileURL(__filename).href;" },
    define: { 'import.meta.url': '$url' },
    entryPoints: [
      entryPoint(source('main'), bundleFiles.session),
      entryPoint(source('enter'), bundleFiles.enter),
      entryPoint(project(`recovery/linux/prober/main${extname(here)}`), bundleFiles.prober),
      entryPoint(join(dirname(programs.probe), `reader${extname(programs.probe)}`), readerFile),
      ...entryPointsWith('.cjs'),
    ],
    plugins: [readerBesideProbe],
  });
  await build({
    ...common,
    format: 'esm',
    outExtension: { '.js': '.mjs' },
    entryPoints: entryPointsWith('.mjs'),
  });
}
