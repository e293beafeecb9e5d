import { createHash, randomUUID } from 'node:crypto';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { readFile, rename, rm } from 'node:fs/promises';
import { dirname, extname, join } from 'node:path';
import type { Plugin } from 'esbuild';
import { bundleScript } from '../../fakes/bundle-script.ts';
import { v8Flags } from '../../recovery/agent/v8-flags.ts';
import { version } from '../../recovery/agent/version.ts';
import { programs } from './paths.ts';

export interface AgentProgram {
  readonly command: readonly string[];
  readonly webhook: readonly string[];
  readonly keeper: readonly string[];
  /** As in production. Otherwise the sources are run, which start slower and use more memory. */
  readonly bundled: boolean;
}

/**
 * Agent and webhook as one bundle, `dist/agent/<hash of its sources>`, which is created on demand. Falls back to the sources if it
 * cannot be created, without esbuild or in a read-only folder.
 */
export async function agentProgram(): Promise<AgentProgram> {
  const folder = join(programs.project, 'dist/agent', hashSources());
  const script = join(folder, 'agent.mjs');
  const bundled = existsSync(script) || (await createAgentBundle(folder));
  const start = (program: string) => [process.execPath, ...v8Flags, program];
  return {
    command: start(bundled ? script : programs.agent),
    webhook: start(bundled ? join(folder, 'webhook.mjs') : programs.webhook),
    keeper: [process.execPath, bundled ? join(folder, 'keeper.mjs') : programs.keeper],
    bundled,
  };
}

/** Creates the folder atomically, because several processes may do so at once. */
async function createAgentBundle(folder: string): Promise<boolean> {
  // Not named after the process id, because each process is number 1 of its namespace.
  const unfinished = `${folder}.${randomUUID()}`;
  try {
    const { bundle } = await import('../../recovery/agent/bundle.ts');
    await bundle(unfinished);
    await rename(unfinished, folder);
    return true;
  } catch {
    await rm(unfinished, { recursive: true, force: true });
    return existsSync(folder);
  }
}

function hashSources(): string {
  const hash = createHash('sha256').update(version);
  const recovery = join(programs.project, 'recovery');
  for (const name of globSync('**/*.{ts,js,json}', { cwd: recovery }).sort())
    if (!name.endsWith('.test.ts')) hash.update(`${name}\0`).update(readFileSync(join(recovery, name)));
  return hash.digest('hex').slice(0, 12);
}

/** The probe as one file, `dist/probe/<hash of its sources>/main.cjs`, or its sources if that cannot be created. */
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

/** Makes the bundled probe start its reading thread from `reader.cjs` in its own folder. */
export const readerBesideProbe: Plugin = {
  name: 'reader beside the probe',
  setup({ onLoad }) {
    onLoad({ filter: /probe[/\\]main\.[jt]s$/ }, async ({ path }) => ({
      contents: (await readFile(path, 'utf8')).replace(/(?<=new URL\()'[^']+'/, "'./reader.cjs'"),
      loader: path.endsWith('.ts') ? 'ts' : 'js',
    }));
  },
};
