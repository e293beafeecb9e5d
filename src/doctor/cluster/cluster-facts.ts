/** What `gatherCluster` found in a cluster, as plain data. */
export interface ClusterFacts {
  /** A version such as `v1.34.4`. */
  readonly version: string;
  readonly nodes: readonly NodeFacts[];
  /** Objects with Fluid's names but without Rekindle's label, such as `daemonset/csi-nodeplugin-fluid in fluid-system`. */
  readonly foreign: readonly string[];
  /** Whether Rekindle's own node plugin is installed. */
  readonly deployed: boolean;
  readonly stores: readonly StoreLook[];
}

export interface NodeFacts {
  readonly name: string;
  /** `status.nodeInfo`. */
  readonly kernelRelease: string;
  readonly osImage: string;
  readonly architecture: string;
  /** Whether it is labelled `type=virtual-kubelet`. A virtual node is not inspected. */
  readonly virtual: boolean;
  readonly look: NodeLook;
}

/** Result of the inspection of a node by a pod. */
export type NodeLook =
  | { readonly state: 'not-asked' }
  | { readonly state: 'failed'; readonly says: string }
  | {
      readonly state: 'seen';
      /** Result of opening the node's /dev/fuse: `ok` or an errno. */
      readonly fuse: string;
      /** The mount that contains the kubelet's directory, and whether it is shared. */
      readonly kubelet: { readonly mountPoint: string; readonly shared: boolean };
    };

/** A bucket that a dataset or the user names. */
export interface StoreLook {
  /** `dataset default/demo-dataset`, or the command-line flag. */
  readonly source: string;
  readonly endpoint: string;
  readonly bucket: string;
  /** HTTP status of a HEAD request for the bucket, or the reason for its failure. Absent if no request was sent. */
  readonly answer?: { readonly status: number } | { readonly says: string };
}
