/**
 * The node agent from its sources, except for one fault that the harness must detect: `faulty.ts --fault=NAME <the agent's flags>`.
 *
 * no-recovery              does nothing, whatever the feature gate says
 * lies-about-success       attaches no mount and reports that the pod has recovered
 * writable-for-an-instant  attaches read-only mounts as writable and makes them read-only some milliseconds later
 * leaks-mounts             leaves the dead mount beneath the new one
 * too-eager                recovers whatever it can, regardless of the feature gate, the pod's label and the access modes
 * eager-after-a-while      obeys every limit for 8 s and then recovers whatever it can
 * takes-dead-mounts-away   detaches dead mounts, so that the pod sees the directory beneath, whatever the limits are
 * polls-only               looks for dead mounts every five seconds and is notified of nothing
 * three-seconds-late       waits 3 s before each recovery
 * claims-unread            reports that the pod has recovered without reading
 * first-pod-only           recovers one pod of each volume
 * half-writable            attaches every second mount as writable
 * whole-dataset            mounts the whole dataset for a volume that is a directory of it
 * other-dataset            mounts another dataset, if there is one
 * stale-copy               mounts a copy of the files instead of the daemon's file system
 * dead-standby             attaches the mount of a standby that is dead
 * blank-refusals           refuses with events that say nothing
 * misplaced-refusals       refuses with events on an object that does not exist
 */
import { type WrappedModule, wrapModule } from './wrap-module.ts';

const faults: Readonly<Record<string, readonly (readonly [WrappedModule, query?: string])[]>> = {
  'no-recovery': [],
  'lies-about-success': [['attach', 'nothing'], ['prove']],
  'writable-for-an-instant': [['attach', 'writable']],
  'leaks-mounts': [['attach', 'on-top']],
  'too-eager': [['policy']],
  'eager-after-a-while': [['policy', 'later']],
  'takes-dead-mounts-away': [['policy'], ['attach', 'detach-only']],
  'polls-only': [['engine']],
  'three-seconds-late': [['loadSyscalls', 'slow=3000']],
  'claims-unread': [['prove']],
  'first-pod-only': [['policy', 'first']],
  'half-writable': [['attach', 'half-writable']],
  'whole-dataset': [['plan', 'whole']],
  'other-dataset': [['plan', 'other']],
  'stale-copy': [['plan', 'copy']],
  'dead-standby': [['plan', 'dead-standby']],
  'blank-refusals': [['recorder', 'blank']],
  'misplaced-refusals': [['recorder', 'misplaced']],
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
// So that it does not wait for its next pass.
if (fault === 'eager-after-a-while') process.env.RECOVER_FUSE_PERIOD = '500ms';
for (const [module, query] of wrapped) wrapModule(module, query);
await import('../../recovery/agent/main.ts');
