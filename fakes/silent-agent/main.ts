/**
 * The node agent as it is, from its sources, except that it keeps no log: what it does it tells by Kubernetes events alone, as
 * somebody else's agent may. `main.ts <the agent's flags>`. It has to be judged, and measured, as the one that it is.
 */
import { registerHooks } from 'node:module';
import { wrapModule } from '../wrap-module.ts';

registerHooks(
  wrapModule({
    real: new URL('../../recovery/agent/log.ts', import.meta.url),
    ours: new URL('./silent-log.ts', import.meta.url),
  }),
);
await import('../../recovery/agent/main.ts');
