/**
 * The node agent as it is, from its sources, except that it ends itself with SIGKILL just before a chosen system call:
 * `main.ts --dies-before=attach:2 <the agent's flags>`. Nothing of this is in the agent: its system calls are wrapped where
 * they are loaded.
 */
import { registerHooks } from 'node:module';

const real = new URL('../../recovery/linux/libc.ts', import.meta.url).href;
const dying = new URL('./dying-libc.ts', import.meta.url).href;
const [chosen = ''] = process.argv.splice(2, 1);

registerHooks({
  resolve(specifier, context, next) {
    const resolved = next(specifier, context);
    const isOurs = context.parentURL?.startsWith(dying) === true;
    return resolved.url === real && !isOurs
      ? { ...resolved, url: `${dying}?${chosen.replace('--dies-before=', '')}` }
      : resolved;
  },
});
await import('../../recovery/agent/main.ts');
