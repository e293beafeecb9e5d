/**
 * The node agent as it is, from its sources, except for one fault that a harness has to find: `main.ts --fault=NAME <the agent's
 * flags>`. Nothing of this is in the agent: modules of it are wrapped where they are loaded.
 *
 * no-recovery            does nothing, whatever the gate says
 * lies-about-success     attaches no mount, and says that the pod was recovered
 * writable-for-an-instant  attaches what has to be read-only writable, and makes it read-only some milliseconds later
 * leaks-mounts           leaves the dead mount where it is, beneath the new one
 * too-eager              recovers all that can be, whether the gate is on, the pod asked for it and the volume is read-only or not
 */
import { registerHooks } from 'node:module';
import { wrapModule } from '../wrap-module.ts';

const faults: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'no-recovery': {},
  'lies-about-success': { 'kernel/attach.ts': 'idle-attach.ts', 'engine/verify.ts': 'lying-verify.ts' },
  'writable-for-an-instant': { 'kernel/attach.ts': 'writable-attach.ts' },
  'leaks-mounts': { 'kernel/attach.ts': 'leaking-attach.ts' },
  'too-eager': { 'engine/policy.ts': 'eager-policy.ts' },
};

const [flag = ''] = process.argv.splice(2, 1);
const fault = flag.replace('--fault=', '');
const wrapped = faults[fault];
if (wrapped === undefined) throw new Error(`--fault=NAME comes first; names: ${Object.keys(faults).join(', ')}`);
if (fault === 'no-recovery')
  process.argv = process.argv.map((other) =>
    other.replace(/^--feature-gates=.*/, '--feature-gates=FuseRecovery=false'),
  );
for (const [real, ours] of Object.entries(wrapped))
  registerHooks(
    wrapModule({
      real: new URL(`../../recovery/${real}`, import.meta.url),
      ours: new URL(`./${ours}`, import.meta.url),
    }),
  );
await import('../../recovery/agent/main.ts');
