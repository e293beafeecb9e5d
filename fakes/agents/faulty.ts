/**
 * The node agent from its sources, except for one fault that the harness must detect: `faulty.ts --fault=NAME <the agent's flags>`.
 *
 * no-recovery              does nothing, whatever the feature gate says
 * lies-about-success       attaches no mount and reports that the pod has recovered
 * writable-for-an-instant  attaches read-only mounts as writable and makes them read-only some milliseconds later
 * leaks-mounts             leaves the dead mount beneath the new one
 * too-eager                recovers whatever it can, regardless of the feature gate, the pod's label and the access modes
 */
import { type WrappedModule, wrapModule } from './wrap-module.ts';

const faults: Readonly<Record<string, readonly (readonly [WrappedModule, query?: string])[]>> = {
  'no-recovery': [],
  'lies-about-success': [['attach', 'nothing'], ['prove']],
  'writable-for-an-instant': [['attach', 'writable']],
  'leaks-mounts': [['attach', 'on-top']],
  'too-eager': [['policy']],
};

const [flag = ''] = process.argv.splice(2, 1);
const fault = flag.replace('--fault=', '');
const wrapped = faults[fault];
if (wrapped === undefined)
  throw new Error(`the first argument must be --fault=NAME, with one of ${Object.keys(faults).join(', ')}`);
if (fault === 'no-recovery')
  process.argv = process.argv.map((argument) =>
    argument.replace(/^--feature-gates=.*/, '--feature-gates=FuseRecovery=false'),
  );
for (const [module, query] of wrapped) wrapModule(module, query);
await import('../../recovery/agent/main.ts');
