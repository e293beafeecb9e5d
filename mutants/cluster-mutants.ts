import type { Mutant } from './mutant.ts';

const assess = 'src/doctor/cluster/assess-cluster.ts';
const assessTest = 'src/doctor/cluster/assess-cluster.test.ts';

/** Breakages of what has to hold before anything can be recovered, and of how it is turned on. */
export const clusterMutants: readonly Mutant[] = [
  {
    name: 'any version of Kubernetes is enough',
    claim: 'P1',
    edits: [{ file: assess, search: 'Number(minor) >= 18', replacement: 'Number(minor) >= 0' }],
    judges: [{ test: assessTest }],
  },
  {
    name: 'ContainerOS is taken as any other',
    claim: 'P2',
    edits: [
      { file: assess, search: '/container\\s?os/i.test(osImage)', replacement: '/container\\s?os/.test(osImage)' },
    ],
    judges: [{ test: assessTest }],
  },
  {
    name: 'a Fluid of somebody else is not seen',
    claim: 'P3',
    edits: [{ file: assess, search: 'if (foreign.length === 0)', replacement: 'if (foreign.length >= 0)' }],
    judges: [{ test: assessTest }],
  },
  {
    name: 'a bucket that is not there is taken as there',
    claim: 'P4',
    edits: [{ file: assess, search: 'status < 400) return ok', replacement: 'status < 500) return ok' }],
    judges: [{ test: assessTest }],
  },
  {
    name: 'a serverless pod is put on an ordinary node',
    claim: 'P5',
    edits: [
      {
        file: 'fakes/control-plane/scheduler.ts',
        search: 'return isVirtual === asksForVirtualNode(metadata?.annotations);',
        replacement: 'return !isVirtual || asksForVirtualNode({});',
      },
    ],
    judges: [{ scenarios: '@V1 and @P5' }, { test: 'fakes/control-plane/scheduler.test.ts' }],
  },
  {
    name: 'a changed DaemonSet starts no other agent',
    claim: 'E2',
    edits: [
      {
        file: 'clusters/sandbox/agent-daemonset.ts',
        search: 'if (wanted !== currentGate) await rollOut(wanted);',
        replacement: '',
      },
    ],
    judges: [{ test: 'clusters/sandbox/agent-daemonset.test.ts' }, { scenarios: '@E2' }],
  },
  {
    name: 'the gate stands behind another in its flag',
    claim: 'E3',
    edits: [
      {
        file: 'recovery/deploy/agent-daemonset.ts',
        search: '`--feature-gates=FuseRecovery=',
        replacement: '`--feature-gates=Other=true,FuseRecovery=',
      },
    ],
    judges: [{ test: 'clusters/sandbox/agent-daemonset.test.ts' }, { scenarios: '@E3' }],
  },
  {
    name: 'a volume is named after the dataset first',
    claim: 'D2',
    edits: [
      {
        file: 'fakes/fluid/names.ts',
        search: 'export const volumeName = ({ namespace, name }: DatasetKey)',
        replacement: 'export const volumeName = ({ namespace: name, name: namespace }: DatasetKey)',
      },
    ],
    judges: [{ scenarios: '@D2' }],
  },
  {
    name: 'a volume of that name that belongs to another tenant is not minded',
    claim: 'D2',
    edits: [
      {
        file: 'fakes/fluid/plan.ts',
        search: 'if (!volume || belongsTo(volume, key)) return [];',
        replacement: 'if (!volume || belongsTo(volume, key) || key.name !== undefined) return [];',
      },
    ],
    judges: [{ scenarios: '@bad-input and @tenants' }],
  },
  {
    name: 'a volume may lead anywhere on the node',
    claim: 'C3',
    edits: [
      {
        file: 'recovery/csi/volume-source.ts',
        search: 'if (!isBelow(path, mountRoot))',
        replacement: "if (!isBelow(path, '/'))",
      },
    ],
    judges: [{ scenarios: '@bad-input and @volumes' }],
  },
  {
    name: 'the daemon passes over the signal of kill 1',
    claim: 'C2',
    edits: [
      {
        file: 'fakes/fuse/daemon.ts',
        search: "process.on('SIGTERM', onTerm).on('SIGINT', onTerm)",
        replacement: "process.on('SIGINT', onTerm).on('SIGTERM', () => {})",
      },
    ],
    judges: [{ scenarios: '@C2' }],
  },
];
