/** What `gatherCluster` found in a cluster, as plain data. */
export interface ClusterFacts {
  /** As `v1.34.4`. */
  readonly version: string;
  readonly nodes: readonly NodeFacts[];
  /** Objects of Fluid's names that do not bear Rekindle's label, as `daemonset/csi-nodeplugin-fluid in fluid-system`. */
  readonly foreign: readonly string[];
  /** Whether Rekindle's own node plugin is there. */
  readonly deployed: boolean;
  readonly stores: readonly StoreLook[];
}

export interface NodeFacts {
  readonly name: string;
  /** `status.nodeInfo`. */
  readonly kernelRelease: string;
  readonly osImage: string;
  readonly architecture: string;
  /** Labelled `type=virtual-kubelet`: nothing of it can be looked at, and nothing has to be. */
  readonly virtual: boolean;
  readonly look: NodeLook;
}

/** What a pod saw on the node. */
export type NodeLook =
  | { readonly state: 'not-asked' }
  | { readonly state: 'failed'; readonly says: string }
  | {
      readonly state: 'seen';
      /** How opening /dev/fuse of the node ended: `ok`, or an errno. */
      readonly fuse: string;
      /** The mount that the kubelet's directory lies on, and whether it is shared. */
      readonly kubelet: { readonly mountPoint: string; readonly shared: boolean };
    };

/** A bucket that a dataset, or the user, names. */
export interface StoreLook {
  /** `dataset default/demo-dataset`, or the flag that named it. */
  readonly source: string;
  readonly endpoint: string;
  readonly bucket: string;
  /** HTTP status of a HEAD of the bucket, or why there was none; absent where it was not asked. */
  readonly answer?: { readonly status: number } | { readonly says: string };
}
