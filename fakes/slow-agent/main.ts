/**
 * The node agent as it is, from its sources, except that each recovery takes so much longer: `main.ts --slow=20 <the agent's flags>`,
 * in milliseconds, before the first mount of a pass is attached. It is there to be found out by `rekindle compare`.
 */
import { registerHooks } from 'node:module';
import { wrapModule } from '../wrap-module.ts';

const [slow = ''] = process.argv.splice(2, 1);
const ours = new URL('./slow-libc.ts', import.meta.url);
ours.search = slow.replace('--slow=', '');
registerHooks(wrapModule({ real: new URL('../../recovery/linux/libc.ts', import.meta.url), ours }));
await import('../../recovery/agent/main.ts');
