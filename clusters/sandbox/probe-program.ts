import { readFile } from 'node:fs/promises';
import { dirname, extname, join } from 'node:path';
import type { Plugin } from 'esbuild';
import { bundleScript } from '../../fakes/store/bundle-script.ts';
import { programs } from './paths.ts';

/** The probe as one file, `dist/probe/<hash of its sources>/main.cjs`, or where it cannot be made, its sources, which start slower. */
export function probeProgram(source: string): Promise<string> {
  const folder = dirname(source);
  return bundleScript({
    entryPoints: [source, join(folder, `reader${extname(source)}`)],
    sources: [folder],
    output: join(programs.project, 'dist/probe'),
    external: ['koffi'],
    plugins: [readerBesideProbe],
  });
}

/** The probe starts its reading thread by the path of a file beside its own. */
const readerBesideProbe: Plugin = {
  name: 'reader beside the probe',
  setup({ onLoad }) {
    onLoad({ filter: /probe[/\\]main\.[jt]s$/ }, async ({ path }) => ({
      contents: (await readFile(path, 'utf8')).replace(/(?<=new URL\()'[^']+'/, "'./reader.cjs'"),
      loader: path.endsWith('.ts') ? 'ts' : 'js',
    }));
  },
};
