import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, build, type Plugin } from 'esbuild';
import type { HarnessPrograms } from '../../cluster.ts';
import { bundleFiles, programFiles } from './in-image.ts';

export interface NodeProgramBundle {
  /** Made where it is not there; what is in it may be written over. */
  readonly outdir: string;
  /** Sources of the programs that scenarios start on nodes. */
  readonly programs: HarnessPrograms;
}

const readerFile = 'reader.cjs';
const here = fileURLToPath(import.meta.url);
const source = (name: string) => join(dirname(here), `${name}${extname(here)}`);
const project = (path: string) => join(dirname(here), '../../..', path);

/** Writes the node program, and what it starts, as single files: those of `bundleFiles` and `programFiles`. */
export async function bundleNodeProgram({ outdir, programs }: NodeProgramBundle): Promise<void> {
  const names = Object.keys(programs) as (keyof HarnessPrograms)[];
  const ofKind = (end: string) =>
    names
      .filter((name) => programFiles[name].endsWith(end))
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
      entryPoint(source('relay'), bundleFiles.relay),
      entryPoint(source('enter'), bundleFiles.enter),
      entryPoint(project(`recovery/linux/prober/main${extname(here)}`), bundleFiles.prober),
      entryPoint(join(dirname(programs.probe), `reader${extname(programs.probe)}`), readerFile),
      ...ofKind('.cjs'),
    ],
    plugins: [readerBesideProbe],
  });
  await build({
    ...common,
    format: 'esm',
    outExtension: { '.js': '.mjs' },
    entryPoints: ofKind('.mjs'),
  });
}

/** The probe starts its reading thread by the path of a file beside its own. */
const readerBesideProbe: Plugin = {
  name: 'reader beside the probe',
  setup({ onLoad }) {
    onLoad({ filter: /probe[/\\]main\.[jt]s$/ }, async ({ path }) => {
      const { readFile } = await import('node:fs/promises');
      const contents = (await readFile(path, 'utf8')).replace(/(?<=new URL\()'[^']+'/, `'./${readerFile}'`);
      return { contents, loader: path.endsWith('.ts') ? 'ts' : 'js' };
    });
  },
};
