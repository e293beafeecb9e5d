import { releasedImage } from './image/reference.ts';
import { names } from './names.ts';

/** What the manifests are made for. */
export interface ManifestOptions {
  readonly namespace: string;
  /** Image of the agent and the webhook. */
  readonly image: string;
  /** Whether recovery is on: the value of the gate. */
  readonly gate: boolean;
  /** Further flags of the agent. */
  readonly agentArgs: readonly string[];
  /** The kubelet's directory, spelt without symbolic links. */
  readonly kubeletRoot: string;
  /** Where FUSE daemons mount. */
  readonly mountRoot: string;
  /** Kubernetes before 1.30 knows AppArmor's profile as an annotation only. */
  readonly appArmor: 'field' | 'annotation';
}

export const defaultOptions: ManifestOptions = {
  namespace: names.namespace,
  image: releasedImage,
  gate: false,
  agentArgs: [],
  kubeletRoot: '/var/lib/kubelet',
  mountRoot: '/runtime-mnt',
  appArmor: 'field',
};
