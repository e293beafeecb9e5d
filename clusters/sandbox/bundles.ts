import { createHash, randomUUID } from 'node:crypto';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { readFile, rename, rm } from 'node:fs/promises';
import { dirname, extname, join } from 'node:path';
import type { Plugin } from 'esbuild';
import { bundleScript } from '../../packaging/bundle-script.ts';
import { v8Flags } from '../../recovery/agent/v8-flags.ts';
import { version } from '../../recovery/agent/version.ts';
import { programs } from './paths.ts';

/** How the agent and the webhook are started, and whether that is how production starts them. */
export interface AgentProgram {
  readonly command: readonly string[];
  readonly webhook: readonly string[];
  readonly bundled: boolean;
}

/**
 * Agent and webhook as production has them: one bundle, `dist/agent/<hash of its sources>`, made on demand. Where it cannot be made
 * (no esbuild, a folder that cannot be written), it is the sources, which start slower and take more memory.
 */
export async function agentProgram(): Promise<AgentProgram> {
  const folder = join(programs.project, 'dist/agent', hashOfSources());
  const script = join(folder, 'agent.mjs');
  const bundled = existsSync(script) || (await makeBundle(folder));
  const start = (program: string) => [process.execPath, ...v8Flags, program];
  return {
    command: start(bundled ? script : programs.agent),
    webhook: start(bundled ? join(folder, 'webhook.mjs') : programs.webhook),
    bundled,
  };
}

/** Makes the folder whole or not at all, because several may do so at once. */
async function makeBundle(folder: string): Promise<boolean> {
  // Not by the process id: each is process 1 of a namespace of its own.
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

function hashOfSources(): string {
  const hash = createHash('sha256').update(version);
  const recovery = join(programs.project, 'recovery');
  for (const name of globSync('**/*.{ts,js,json}', { cwd: recovery }).sort())
    if (!name.endsWith('.test.ts')) hash.update(`${name}\0`).update(readFileSync(join(recovery, name)));
  return hash.digest('hex').slice(0, 12);
}

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
