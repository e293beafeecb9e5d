/** What `--help` prints. */
export const help = `Usage: rekindle-agent --nodeid=NAME --endpoint=unix:///PATH [flags]

The node plugin of CSI driver fuse.csi.fluid.io. It publishes the FUSE mounts of datasets to pods, and gives a mount back to
running pods after its FUSE daemon has crashed and was started again. Runs as root, one for each node.

What it must know
  --nodeid NAME            name of this node (environment: NODE_ID)
  --endpoint unix:///PATH  CSI socket to serve on; a socket left there is replaced (environment: CSI_ENDPOINT)
  --kubelet-registration-path PATH
                           the CSI socket as the kubelet sees it: registers the driver there, so that no registrar is needed
  --plugin-registration-path DIR
                           the kubelet's plugins_registry as the agent sees it (/registration)
  --beside NAMESPACE/NAME  DaemonSet of another node plugin that publishes the volumes: no CSI driver is served, and nothing
                           is recovered while that one's own recovery gate is on; needs Linux 6.5
  --kubeconfig PATH        how to reach the API server; without it the pod's service account is used

What it recovers
  --feature-gates FuseRecovery=true
                           turns recovery on; off by default, and then nothing is ever recovered
  --pods label|all         label (default): only pods labelled fuse.serverful.fluid.io/inject=true are entered
  --read-write-scope volume|cluster|recover
                           volume (default): a volume that is not read-only is refused; cluster: nothing is recovered while
                           any dataset is not read-only; recover: read-write volumes too, whose writes may be lost
  --sub-path refuse|recover
                           refuse (default): mounts of a subPath are left alone
  --unsupported-runtimes kata,gvisor,...
                           RuntimeClasses whose guests keep descriptors of their own: their pods are not entered
                           (default: the usual names of Kata, gVisor and Alibaba Cloud's sandboxes)
  --abort-hung-after 30s   ends a FUSE connection whose daemon has not answered for so long; never by default
  RECOVER_FUSE_PERIOD=5s   environment: how often everything is looked at again, in case a notification was missed

Where it looks
  MOUNT_ROOT=/runtime-mnt           environment: directory below which FUSE daemons mount
  KUBELET_ROOTDIR=/var/lib/kubelet  environment: the kubelet's directory, spelt without symbolic links
  --node-mount-namespace PATH       the kubelet's mount namespace where it is not the agent's own: a path (/proc/1/ns/mnt), or
                                    "kubelet" to look for its process

How it is watched
  --metrics-addr HOST:PORT serves /metrics (Prometheus) and /healthz; default :8080, port 0 takes a free one and logs it
  The log is one JSON object a line on standard output: one for each decision, with "ns" the monotonic time in nanoseconds.

For tests
  --kernel-tier 6.5|5.12|5.10
                           uses no newer mount calls than these kernels have; found out by default

Exit status: 0 ended by SIGTERM or SIGINT, mounts are left as they are; 1 failed; 2 usage; 3 this machine or cluster lacks
something, and the message says what.

Flags of Fluid's own plugin without a meaning here (--v, --prune-fs, --prune-path, --pprof-addr, --kubelet-kube-config) are
accepted and do nothing.

Example
  rekindle-agent --nodeid=$(NODE_ID) --endpoint=unix:///plugin/csi.sock --feature-gates=FuseRecovery=true
`;
