import { readFileSync } from 'node:fs';
import type { KubeConfig } from '@kubernetes/client-node';
import type { Behaviour } from '../../../fakes/fuse/behaviour.ts';
import type { Linux } from '../../../fakes/kubelet/linux.ts';

/** A way in which nodes differ, imitated in the sandbox by means of the real kernel. */
export interface NodeCondition {
  readonly name: string;
  /** One sentence for `rekindle conditions` and reports: what the node has, and what that stands for. */
  readonly title: string;
  /** Public reports of such nodes, `repository#number`. Empty if it was found in a review only. */
  readonly reports: readonly string[];
  readonly differences?: NodeDifferences;
  /** The value that follows the name, as in `kubelet-root=PATH`. */
  readonly value?: {
    readonly name: string;
    readonly default: string;
    readonly isValid: (value: string) => boolean;
    readonly differences: (value: string) => NodeDifferences;
  };
  /** Starts what else is on the node; before the node agent and the kubelet. */
  readonly begin?: (node: ConditionNode) => Promise<Neighbours>;
}

/** What the parts of a node do differently. */
export interface NodeDifferences {
  /** The kubelet's directory. `/var/lib/kubelet` by default. */
  readonly kubeletRoot?: string;
  /** `/var/lib/kubelet` is a symbolic link to the kubelet's directory, and the agent knows only the link. */
  readonly hasKubeletLink?: boolean;
  /** The directory below which datasets are mounted. `/runtime-mnt` by default. */
  readonly mountRoot?: string;
  /** The node's root directory can be written to by nobody, as on an immutable system. */
  readonly isRootReadOnly?: true;
  /** Symbolic links of the image of every container of a pod: the path of each and what it leads to, relative to its root. */
  readonly imageLinks?: Readonly<Record<string, string>>;
  /** `own-namespace`: the kubelet has a mount namespace of its own, and another one after each restart. `none`: no process has its name. */
  readonly kubeletProcess?: 'own-namespace' | 'none';
  /** How the kubelet's `vol_data.json` is found after it has been written. */
  readonly volumeData?: 'empty';
  /** Applications ignore SIGTERM, so that their containers run until the end of the grace period. */
  readonly isTerminationSlow?: true;
  /** A directory that is the image of every container of a pod. */
  readonly image?: string;
  /** Of every FUSE daemon whose dataset requests no other. */
  readonly daemon?: Behaviour;
  /** The probe lists no directory, because it could not tell a listing from a hang. */
  readonly probeReadsOnly?: true;
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
  readonly linux: Linux;
}

/** What else is on a node. It ends with the node. */
export interface Neighbours {
  /** Mounts that only their owner may touch. More may come. */
  readonly mounts: Pick<NeighbourMounts, 'touched' | 'size'>;
  /** Resolves once its pods run. Absent: it has none. */
  readonly started?: Promise<void>;
  /** Called when no container runs any more, for what would outlive the node. */
  readonly end?: () => Promise<void>;
  /** Called with process 1 of each container of an application that has started. */
  readonly onContainer?: (pid: number) => void;
  /** Resolves once all that this has begun is in place. */
  readonly settled?: () => Promise<unknown>;
}

/** Mounts and how they were, as lines of mountinfo. */
export class NeighbourMounts {
  readonly #lines = new Map<string, string>();

  get size(): number {
    return this.#lines.size;
  }

  /** `process`: one in whose namespace the mount is, by default the node's. */
  add(path: string, process: number | 'self' = 'self'): void {
    this.#lines.set(`${process} ${path}`, mountLine(path, process));
  }

  delete(path: string, process: number | 'self' = 'self'): void {
    this.#lines.delete(`${process} ${path}`);
  }

  /** The mount points of those that are not as they were. */
  touched(): readonly string[] {
    return [...this.#lines].flatMap(([key, line]) => {
      const [process = '', path = ''] = key.split(' ');
      const now = mountLine(path, process);
      return now === line ? [] : [`${path} of ${process}: ${line} is now ${now}`];
    });
  }
}

/** The line of mountinfo of the topmost mount at a path; empty if there is none. */
function mountLine(path: string, process: number | string): string {
  const lines = readFileSync(`/proc/${process}/mountinfo`, 'utf8').trimEnd().split('\n');
  return lines.findLast((line) => line.split(' ')[4] === path) ?? '';
}
