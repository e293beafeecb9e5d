import { version } from '../agent/version.ts';

export const imageRepository = 'rekindle/agent';

/** Names from the document and from Fluid's manifests, by which administrators and their scripts find the parts. */
export const names = {
  namespace: 'fluid-system',
  /** Namespace of recovery alongside another node plugin. */
  besideNamespace: 'rekindle-system',
  /** The DaemonSet. */
  agent: 'csi-nodeplugin-fluid',
  /** The same as in Fluid's DaemonSet. */
  agentContainer: 'plugins',
  /** The DaemonSet alongside another node plugin. */
  beside: 'rekindle-recovery',
  keeper: 'rekindle-keeper',
  webhook: 'fluid-webhook',
  /** The Secret with the webhook's certificate. */
  certificates: 'fluid-webhook-certificates',
} as const;

/** ClusterRole of those who may read what agents know (`rekindle status`), to be bound in the namespace of the agents. */
export const statusReader = 'rekindle:status-reader';

/** The label of all deployed objects. Objects without it are foreign and are never changed or deleted. */
export const managedBy = { label: 'app.kubernetes.io/managed-by', value: 'rekindle' } as const;

export const labelsFor = (part: string) => ({
  app: part,
  [managedBy.label]: managedBy.value,
  'app.kubernetes.io/part-of': 'rekindle',
});

export const furtherGates = ['FuseStandby', 'FuseTakeover'] as const;
export type FurtherGate = (typeof furtherGates)[number];

export interface ManifestOptions {
  readonly namespace: string;
  /** Image of the agent, the webhook and the keeper. */
  readonly image: string;
  /** Value of the feature gate `FuseRecovery`. */
  readonly gate: boolean;
  /** Feature gates that are on besides; they need `FuseRecovery`. */
  readonly furtherGates: readonly FurtherGate[];
  /** Additional flags of the agent. */
  readonly agentArgs: readonly string[];
  /** The kubelet's directory, or a symbolic link to it. */
  readonly kubeletRoot: string;
  /** The directory that contains the source mounts. */
  readonly mountRoot: string;
  /** Port of the webhook's pods, to which the API server must have access. */
  readonly webhookPort: number;
  /** Whether the webhook uses the network of its node, for API servers that reach nodes but no pods. */
  readonly webhookHostNetwork: boolean;
  /** RuntimeClass of all pods, for nodes whose default runtime runs pods in a virtual machine. Undefined: the default runtime. */
  readonly runtimeClass?: string;
  /** Kubernetes before 1.30 only has an annotation for the AppArmor profile. */
  readonly appArmor: 'field' | 'annotation';
}

/** Whether the gate is on that needs a keeper on each node. */
export const hasTakeover = ({ furtherGates }: Pick<ManifestOptions, 'furtherGates'>): boolean =>
  furtherGates.includes('FuseTakeover');

export const defaultOptions: ManifestOptions = {
  namespace: names.namespace,
  image: `${imageRepository}:${version}`,
  gate: false,
  furtherGates: [],
  agentArgs: [],
  kubeletRoot: '/var/lib/kubelet',
  mountRoot: '/runtime-mnt',
  webhookPort: 9443,
  webhookHostNetwork: false,
  appArmor: 'field',
};
