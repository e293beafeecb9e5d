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
import { type WrappedModule, wrapModule } from '../wrap-module.ts';

const attach = new URL('../../recovery/linux/attach.ts', import.meta.url);
const verify = new URL('../../recovery/engine/verify.ts', import.meta.url);
const policy = new URL('../../recovery/engine/policy.ts', import.meta.url);

const faults: Readonly<Record<string, readonly WrappedModule[]>> = {
  'no-recovery': [],
  'lies-about-success': [
    { real: attach, ours: new URL('./idle-attach.ts', import.meta.url) },
    { real: verify, ours: new URL('./lying-verify.ts', import.meta.url) },
  ],
  'writable-for-an-instant': [{ real: attach, ours: new URL('./writable-attach.ts', import.meta.url) }],
  'leaks-mounts': [{ real: attach, ours: new URL('./leaking-attach.ts', import.meta.url) }],
  'too-eager': [{ real: policy, ours: new URL('./eager-policy.ts', import.meta.url) }],
};

const [flag = ''] = process.argv.splice(2, 1);
const fault = flag.replace('--fault=', '');
const wrapped = faults[fault];
if (wrapped === undefined) throw new Error(`--fault=NAME comes first; names: ${Object.keys(faults).join(', ')}`);
if (fault === 'no-recovery')
  process.argv = process.argv.map((other) =>
    other.replace(/^--feature-gates=.*/, '--feature-gates=FuseRecovery=false'),
  );
for (const module of wrapped) registerHooks(wrapModule(module));
await import('../../recovery/agent/main.ts');
