/**
 * The node agent from its sources, except that it writes no log: it reports its work by Kubernetes events alone, as another
 * vendor's agent may. `silent.ts <the agent's flags>`. The harness must judge and measure it like the real one.
 */
import { wrapModule } from './wrap-module.ts';

wrapModule('log');
await import('../../recovery/agent/main.ts');
