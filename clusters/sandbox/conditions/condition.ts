import type { KubeConfig } from '@kubernetes/client-node';
import type { Behaviour } from '../../../fakes/fuse/behaviour.ts';

/** A way in which nodes differ, imitated in the sandbox by means of the real kernel. */
export interface NodeCondition {
  readonly name: string;
  /** One sentence for `rekindle conditions` and reports: what the node has, and what that stands for. */
  readonly title: string;
  /** Public reports of such nodes, `repository#number`. Empty if it was found in a review only. */
  readonly reports: readonly string[];
  readonly differences?: NodeDifferences;
  /** Starts what else is on the node; before the node agent and the kubelet. */
  readonly begin?: (node: ConditionNode) => Promise<Neighbours>;
}

/** What the parts of a node do differently. */
export interface NodeDifferences {
  /** `own-namespace`: the kubelet has a mount namespace of its own, and another one after each restart. `none`: no process has its name. */
  readonly kubeletProcess?: 'own-namespace' | 'none';
  /** How the kubelet's `vol_data.json` is found after it has been written. */
  readonly volumeData?: 'empty';
  /** Of every FUSE daemon whose dataset requests no other. */
  readonly daemon?: Behaviour;
}

/** What a condition may use of the node. */
export interface ConditionNode {
  /** With an administrator's rights. */
  readonly kubeConfig: KubeConfig;
  readonly environment: Readonly<Record<string, string>>;
  readonly logFile: string;
  /** A directory of the condition's own, which exists and is empty. */
  readonly directory: string;
  /** Where datasets are mounted. */
  readonly mountRoot: string;
  readonly kubeletRoot: string;
  /** The line of mountinfo of the node's mount at a path; empty if there is none. */
  readonly mountLine: (path: string) => string;
}

/** What else is on a node. It ends with the node. */
export interface Neighbours {
  /** Mounts on the node, which nobody but their owner may touch, as lines of mountinfo by mount point. More may come. */
  readonly mounts: ReadonlyMap<string, string>;
}
