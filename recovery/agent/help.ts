/** The output of `--help`. */
export const help = `Usage: rekindle-agent --nodeid=NAME --endpoint=unix:///PATH [flags]

The node plugin of CSI driver fuse.csi.fluid.io. It publishes the FUSE mounts of datasets to pods, and gives a mount back to
running pods after its FUSE daemon has crashed and been restarted. Runs as root, one for each node.

Required
  --nodeid NAME            name of this node (environment: NODE_ID)
  --endpoint unix:///PATH  CSI socket to serve on; a socket left there is replaced (environment: CSI_ENDPOINT)
  --kubelet-registration-path PATH
                           path of the CSI socket on the node; the agent then registers the driver with the kubelet itself
  --plugin-registration-path DIR
                           path of the kubelet's plugins_registry in the agent's container (/registration)
  --beside NAMESPACE/NAME  DaemonSet of another node plugin that publishes the volumes: no CSI driver is served, and nothing
                           is recovered while that one's own recovery gate is on; needs Linux 6.5
  --kubeconfig PATH        how to reach the API server; without it the pod's service account is used

What it recovers
  --feature-gates FuseRecovery=true
                           turns recovery on; it is off by default, and then nothing is recovered
  --feature-gates FuseRecovery=true,FuseStandby=true
                           if a second daemon of the dataset serves <source directory>/standby-<N>, pods continue with it as soon
                           as the first one dies; needs Linux 5.12
  --feature-gates FuseRecovery=true,FuseTakeover=true
                           a connection that a keeper on the node holds for the next daemon is left alone until the keeper's
                           deadline, although it does not answer; needs Linux 6.9
  --pods label|all         label (default): only pods labelled fuse.serverful.fluid.io/inject=true are entered
  --read-write-scope volume|cluster|recover
                           volume (default): a volume that is not read-only is refused; cluster: nothing is recovered while
                           any dataset is not read-only, for which each node watches the metadata of all volumes of the
                           cluster; recover: read-write volumes too, whose writes may be lost
  --sub-path refuse|recover
                           refuse (default): mounts of a subPath are left alone; recover: they are recovered, also where the
                           kubelet starts the container from; rekindle deploy gives this flag to the webhook, too, which
                           denies such pods without it
  --unsupported-runtimes kata,gvisor,...
                           RuntimeClasses whose guests hold their own file descriptors: their pods are not entered
                           (default: the usual names of Kata, gVisor and Alibaba Cloud's sandboxes)
  --abort-hung-after 30s   aborts a FUSE connection whose daemon has not answered for this time; never by default
  --fallback off|annotated annotated: pods that are left alone, or their namespaces, may ask by the annotation
                           rekindle.dev/fallback=restart-container,evict for a restart of the container, or an eviction within
                           the PodDisruptionBudget; needs the RBAC of rekindle deploy --fallback; off by default
  RECOVER_FUSE_PERIOD=5s   environment: interval of the passes that examine everything, in case a notification was missed

Paths
  MOUNT_ROOT=/runtime-mnt           environment: directory below which FUSE daemons mount
  KUBELET_ROOTDIR=/var/lib/kubelet  environment: the kubelet's directory, or a symbolic link to it
  --node-mount-namespace PATH       the kubelet's mount namespace if it is not the agent's own: a path (/proc/1/ns/mnt), or
                                    "kubelet" to find its process

Placing FUSE daemons
  When a volume is staged, this node gets the label by which Fluid lets its FUSE daemon run here, and loses it when the volume is
  unstaged if the runtime's cleanPolicy is OnDemand.
  --patch-nodes kubelet|account     with whose credentials the node is patched: the kubelet's (default), or those of the pod's service
                                    account, with the RBAC of rekindle deploy --patch-nodes
  --kubelet-kube-config PATH        the kubelet's kubeconfig on the node (/etc/kubernetes/kubelet.conf); if there is no such file, the
                                    service account is used

Monitoring
  --metrics-addr HOST:PORT serves /metrics (Prometheus), /readyz and /livez; default :8080, port 0 takes a free one, which is logged
  --status-addr 127.0.0.1:PORT
                           serves /status, which rekindle status reads: to users who may forward a port of this pod; off by default
  The log on standard output has one JSON object per line, one for each decision; "ns" is the monotonic time in nanoseconds.

For tests
  --kernel-tier 6.5|5.12|5.10
                           uses only the mount calls of these kernels; detected by default

Exit status: 0 ended by SIGTERM or SIGINT, mounts stay as they are; 1 failed; 2 usage; 3 this machine or cluster lacks
something, which the message names.

Flags of Fluid's own plugin that have no meaning here (--v, --prune-fs, --prune-path, --pprof-addr) are accepted and
do nothing.

Example
  rekindle-agent --nodeid=$(NODE_ID) --endpoint=unix:///plugin/csi.sock --feature-gates=FuseRecovery=true
`;
