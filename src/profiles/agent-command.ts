import { fileURLToPath } from 'node:url';
import type { Profile } from './profile.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
/** Programs are TypeScript in the source tree and JavaScript in the package. */
const extension = import.meta.url.endsWith('.js') ? '.js' : '.ts';

/** The command that runs a profile's agent in the sandbox, or undefined for Rekindle's own agent. */
export function agentCommand({ agent }: Profile): readonly string[] | undefined {
  return agent?.command?.map((word) =>
    word.startsWith('{rekindle}/')
      ? `${root}${word.slice('{rekindle}/'.length).replace(/\.ts$/, extension)}`
      : word.replace(/^\{node\}$/, process.execPath),
  );
}
