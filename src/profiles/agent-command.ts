import { fileURLToPath } from 'node:url';
import type { Profile } from './profile.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
/** What ships with Rekindle is TypeScript in its sources and JavaScript in its package. */
const extension = import.meta.url.endsWith('.js') ? '.js' : '.ts';

/** The command that runs a profile's agent in the sandbox; undefined where it is Rekindle's own. */
export function agentCommand({ agent }: Profile): readonly string[] | undefined {
  return agent?.command?.map((word) =>
    word.startsWith('{rekindle}/')
      ? `${root}${word.slice('{rekindle}/'.length).replace(/\.ts$/, extension)}`
      : word.replace(/^\{node\}$/, process.execPath),
  );
}
