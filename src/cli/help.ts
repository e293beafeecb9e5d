/** Shown below the list of commands. */
export const overview = `
Examples:
  rekindle doctor                         what can this machine run?
  rekindle crash                          break a mount under a pod and watch it come back, in seconds
  rekindle crash -- sh -c 'while :; do md5sum /data/*; sleep 1; done'
                                          does this program survive a recovery?
  rekindle conform                        judge every documented promise
  rekindle conform --tags '@C2 or @C3'    judge these only
  rekindle compare A B                    is B faster or slower than A?
  rekindle clean                          remove what a killed run left

Results:
  each run writes results/<run id>/: record.json and history.ndjson (what happened), report.html, report.md, junit.xml
  and metrics.prom (made of the two, and again by rekindle report). results/latest points to the last run.

Exit status:
  0    conformant: every promise that was examined is kept
  1    not conformant
  2    usage: an argument is wrong; nothing was started
  3    this machine cannot run it; what is missing is printed with its remedy
  4    inconclusive, or Rekindle itself broke
  5    something could not be cleaned up; it is listed
  130  interrupted, after cleaning up

Environment:
  TMPDIR    where runs keep their temporary files (default /tmp)
  NO_COLOR  any value: no colours
  DEBUG     any value: show stacks where Rekindle itself breaks
`;

export const conformHelp = `
Runs scenarios, prints each with its verdict and writes the reports: without more, one or two for each documented promise;
with --all, every fault and limit in depth as well. FEATURES are .feature files or folders, with :LINE to pick a scenario.

Where:
  sandbox   the default: real FUSE in namespaces of this machine, everything else simulated; seconds
  kind      a cluster of containers by kind and Docker, made for the run and deleted afterwards; named rekindle-<run id>,
            with a kubeconfig of its own in the results, so that your contexts stay as they are
  minikube  the same by minikube
  existing  the cluster of --context. Crashes FUSE daemons of datasets of its own and restarts the node agent, whose
            other users feel that; asks for consent. With --profile fluid or ack-fluid it judges what is installed there;
            otherwise it deploys Rekindle's agent and removes it afterwards. Its nodes need the images that the run names.
Where a cluster does not come up or a scenario fails, events, logs, pod states and mount tables of that moment lie in
diagnostics/ of the results. rekindle clean removes the clusters of killed runs, kept ones only by their own commands.

Examples:
  rekindle conform
  rekindle conform --all
  rekindle conform --cluster kind --nodes 2
  rekindle conform --cluster kind --reuse dev --tags @C3
  rekindle conform --cluster kind --kubernetes-image kindest/node:v1.32.2 --keep
  rekindle conform --cluster existing --context staging --i-know-this-breaks-mounts
  rekindle conform --tags '@C3 and not @fault:sigkill' --out /tmp/results
  rekindle conform --profile ./my-implementation.yaml
  rekindle conform features/crash.feature:12
`;

export const crashHelp = `
Crashes a FUSE daemon under a pod and tells what the pod sees, what the node sees and what the agent does.
With a COMMAND after --, that program runs in the pod with the dataset at /data while the daemon crashes under it.

Examples:
  rekindle crash
  rekindle crash --fault sigkill --no-recovery
  rekindle crash --fault agent-kill+sigkill
  rekindle crash --hold
  rekindle crash -- python3 train.py --data /data
`;

export const benchHelp = `
Crashes the daemon under running pods, with the kubelet's back-off taken out, and prints each phase: min, p50, p90, p99, max,
medians with what may be believed of them. Reads are due at a fixed rate whatever happened before, so a stall is charged to
each read that it delayed. All samples go into bench.json, which rekindle compare takes. Ctrl-C keeps what was measured.

Times depend on the machine; --baselines measures the same crashes recovered by other means beside them, so that ratios can be
believed. --peer puts another agent in the place of Rekindle's own; it gets the flags of Fluid's node plugin, and the report its
SHA-256.

On Kubernetes each crash has a fresh FUSE pod, since a kubelet makes one wait that has crashed before. The outage is split between
kubelet, daemon and agent, and printed beside that of the same crashes in the sandbox, with what the agent asks of the API server.

Examples:
  rekindle bench --crashes 200
  rekindle bench --cluster kind --crashes 30
  rekindle bench --baselines
  rekindle bench --vary rate=10,100,1000              does measuring disturb?
  rekindle bench --vary pods=1,10,100,250 --agent-cpu 200m --crashes 10
  rekindle bench --peer ./csi-nodeplugin --baselines
`;

export const compareHelp = `
Each argument is the folder of a run of rekindle bench, or its bench.json, which may lie in a repository as a baseline. The
first is the reference; each other one is held against it, phase by phase: better, same, worse, or cannot tell. A difference
matters where it exceeds --tolerance of the reference and 3 ms. The verdict is of the phases that are in the agent's hands. Runs of
other fidelity, machines or conditions are refused: their differences say nothing; --anyway compares them all the same.

PHASE is one of first-error, noticed, daemon, mount, node, pod, read, steady, verify, ready-to-readable, last-pod, outage;
without one a budget is about ready-to-readable, the agent's part. FIGURE is min, p50, p90, p99 or max.

Examples:
  rekindle compare results/before results/after
  rekindle compare baseline.json results/latest --fail-on worse
  rekindle compare baseline.json results/latest --budget p99=50ms --budget outage.p50=400ms

Exit status: 0 · 1 where --fail-on or a budget says so · 2 what cannot be compared
`;

export const doctorHelp = `
Without a context: what this machine lacks for the sandbox. With one: Kubernetes' version, the nodes' systems, another Fluid,
the buckets that datasets name, virtual nodes; and of each node the kernel, /dev/fuse and mount propagation, which a short-lived
privileged pod looks at in a namespace of its own that is removed again.

Examples:
  rekindle doctor
  rekindle doctor --context my-cluster
  rekindle doctor --context my-cluster --endpoint http://minio:9000 --bucket demo --secret default/mysecret
`;

export const deployHelp = `
Applies the manifests (server-side), waits until all is ready, and prints what changed. Whether recovery is on is the
administrator's: the gate that is in force stays as it is. --print shows the manifests; the same for kubectl apply -k are
in recovery/deploy/kustomize. The image is built by node recovery/deploy/image/build.ts.

Examples:
  rekindle deploy --context my-cluster --image registry.example/rekindle/agent:0.1.0
  rekindle deploy --dry-run
  rekindle deploy --beside
  rekindle deploy --remove
`;

export const cleanHelp = `
Removes processes, mounts, directories and containers that carry a run's id, and nothing else. A run that is going on is
left alone unless it is named.

With --context: what a killed rekindle doctor left in that cluster; and of a run of --cluster existing that is named, what it left.

Examples:
  rekindle clean
  rekindle clean --run 20261122-134501-k3f9
  rekindle clean --context my-cluster --run 20261122-134501-k3f9
`;

export const reportHelp = `
RESULTS is the folder of a run (results/latest). Makes report.html, report.md, junit.xml and metrics.prom again from its
record.json and history.ndjson.
`;
