/**
 * The node agent from its sources, except that each recovery takes longer: `slow.ts --slow=20 <the agent's flags>` waits 20 ms
 * before the first attachment of a pass. `rekindle compare` must notice it.
 */
import { wrapModule } from './wrap-module.ts';

const [flag = ''] = process.argv.splice(2, 1);
wrapModule('loadSyscalls', flag.replace(/^--/, ''));
await import('../../recovery/agent/main.ts');
