import { fileURLToPath } from 'node:url';

const program = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/** Programs of the sandbox. */
export const programs = {
  project: program('.'),
  supervisor: program('clusters/sandbox/supervisor.ts'),
  controlPlane: program('fakes/control-plane/main.ts'),
  agent: program('recovery/agent/main.ts'),
  /** A module that records the turns of an agent's event loop. */
  turns: program('recovery/agent/turns.ts'),
  webhook: program('recovery/webhook/main.ts'),
  keeper: program('recovery/keeper/main.ts'),
  faultyKeeper: program('fakes/agents/faulty-keeper.ts'),
  dyingAgent: program('fakes/agents/dying.ts'),
  neighbours: program('fakes/neighbours/main.ts'),
  inlineDriver: program('fakes/neighbours/inline-driver-main.ts'),
} as const;

/** Names and paths of the sandbox's node. */
export const node = {
  name: 'sandbox',
  /** Where agents expect the kubelet's directory. */
  kubeletRoot: '/var/lib/kubelet',
  scratch: '/var/lib/rekindle/rootfs',
  kubeconfigs: {
    admin: '/var/lib/rekindle/admin.kubeconfig',
    webhook: '/var/lib/rekindle/webhook.kubeconfig',
    /** Of the node, which may patch itself. */
    kubelet: '/var/lib/rekindle/kubelet.kubeconfig',
  },
  /** The volume that a kubelet mounts for the agent's service account. */
  agentAccount: '/var/lib/rekindle/agent-account',
  agentFiles: '/var/lib/rekindle/agent-files',
  mountRoot: '/runtime-mnt',
  /** Has a directory for each node condition. */
  neighbours: '/var/lib/rekindle/neighbours',
  /** A node without agent and CSI driver, with separate directories. */
  virtual: {
    name: 'virtual-node',
    kubeletRoot: '/var/lib/rekindle/virtual-kubelet',
    labels: { type: 'virtual-kubelet' },
  },
} as const;
