/**
 * The node agent from its sources, except that it kills itself just before a chosen system call:
 * `dying.ts --dies-before=attach:2 <the agent's flags>`.
 */
import { wrapModule } from './wrap-module.ts';

const [flag = ''] = process.argv.splice(2, 1);
wrapModule('loadSyscalls', flag.replace(/^--/, ''));
await import('../../recovery/agent/main.ts');
