/**
 * The keeper from its sources, except for one fault: `faulty-keeper.ts --fault=NAME <the keeper's flags>`.
 *
 * loses-a-request     does not ask the kernel to send again what a dead daemon had read
 * hands-over-late     keeps connections ten times as long as it says
 * kernel-without-resend  takes the kernel for one that cannot send requests again
 */
import { type WrappedModule, wrapModule } from './wrap-module.ts';

const faults: Readonly<Record<string, readonly [WrappedModule, query?: string]>> = {
  'loses-a-request': ['fuseDescriptor', 'loses'],
  'hands-over-late': ['keeping'],
  'kernel-without-resend': ['fuseDescriptor', 'old'],
};

const [flag = ''] = process.argv.splice(2, 1);
const wrapped = faults[flag.replace('--fault=', '')];
if (wrapped === undefined)
  throw new Error(`the first argument must be --fault=NAME, with one of ${Object.keys(faults).join(', ')}`);
wrapModule(...wrapped);
await import('../../recovery/keeper/main.ts');
