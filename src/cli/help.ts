/** Printed below the list of commands. */
export const overview = `
Examples:
  rekindle doctor                         what can this machine run?
  rekindle crash                          break a mount under a pod and watch it come back, in seconds
  rekindle crash -- sh -c 'while :; do md5sum /data/*; sleep 1; done'
                                          does this program survive a recovery?
  rekindle conform                        judge every documented promise
  rekindle conform --tags '@C2 or @C3'    judge these only
  rekindle compare A B                    is B faster or slower than A?
  rekindle status --context C             which mounts of a cluster are dead, and why is each left alone?
  rekindle clean                          remove leftovers of a killed run

Results:
  each run writes results/<run id>/: record.json and history.ndjson (what happened), and from these report.html, report.md,
  junit.xml and metrics.prom (rekindle report regenerates them, rekindle judge judges again). results/latest points to the last run.

Exit status:
  0    conformant: every promise that was tested is kept
  1    not conformant
  2    usage: an argument is wrong; nothing was started
  3    this machine cannot run it; what is missing is printed with its remedy
  4    inconclusive, or Rekindle itself failed
  5    something could not be cleaned up; it is listed
  6    rekindle deploy: deployed in part; what is not complete is listed, and the command can be run again
  130  interrupted, after cleaning up
  If several apply, the status is the first of 1, 2, 3, 4, 5 and 130, and the messages name them all.

Environment:
  TMPDIR       where runs keep their temporary files (default /tmp)
  NO_COLOR     any value: no colors; FORCE_COLOR: colors, into a file or a pipe, too
  DEBUG        any value: print the stack of an internal error
`;

export const conformHelp = `
Runs scenarios, prints each with its verdict and writes the reports. By default it runs one or two scenarios for each documented
promise; with --all also every fault and limit in depth. FEATURES are .feature files or folders; :LINE picks a scenario.

Where:
  sandbox   the default: real FUSE in namespaces of this machine, everything else is a stand-in; takes seconds
  kind      a cluster by kind and Docker, created for the run and deleted afterwards; it is named rekindle-<run id> and has its
            own kubeconfig in the results, so your contexts stay unchanged
  minikube  the same with minikube
  existing  the cluster of --context. Crashes FUSE daemons of datasets that it creates and restarts the node agent, which
            affects other users of the agent, so it asks for consent. With --profile fluid or ack-fluid it judges the installed
            agent; otherwise it deploys Rekindle's agent and removes it afterwards. Nodes need the images that the run names.
If a cluster does not start or a scenario fails, the results contain events, logs, pod states and mount tables of that moment in
diagnostics/. rekindle clean removes the clusters of killed runs; remove kept clusters with their own commands.

Examples:
  rekindle conform
  rekindle conform --all
  rekindle conform --cluster kind --nodes 2
  rekindle conform --cluster kind --reuse dev --tags @C3
  rekindle conform --cluster kind --kubernetes-image kindest/node:v1.32.2 --keep
  rekindle conform --cluster existing --context staging --i-know-this-breaks-mounts
  rekindle conform --tags '@C3 and not @fault:sigkill' --out /tmp/results
  rekindle conform --profile ./my-implementation.yaml
  rekindle conform features/5-crash-and-recovery.feature:12
`;

export const crashHelp = `
Crashes a FUSE daemon under a pod and shows what the pod sees, what the node sees and what the agent does.
With a COMMAND after --, that program runs in the pod with the dataset at /data while the daemon crashes under it, and is judged
by what it prints: with --expect, this text after the pod reads again; otherwise anything, but as its last line an error of the
dead mount. A status other than 0 is a failure, too.

With --context and --pod it does that to a running pod of yours: the process that serves its FUSE mount gets SIGKILL, a probe reads
inside the pod 50 times a second until it reads again, and nothing else is changed. It explains what breaks and asks first; --yes agrees
beforehand, as it must without a terminal. What comes back, and when, is up to the agent that is installed there.

Examples:
  rekindle crash
  rekindle crash --fault sigkill --no-recovery
  rekindle crash --fault agent-kill+sigkill
  rekindle crash --hold
  rekindle crash --expect 'step' --for 30s -- python3 -u train.py --data /data
  rekindle crash --context staging --pod shop/web-0
`;

export const benchHelp = `
Crashes the daemon under running pods, without the kubelet's back-off, and prints each phase: min, p50, p90, p99, max, and a
confidence interval of the median. Reads are scheduled at a fixed rate, so a stall is charged to every read that it delays.
All samples go into bench.json, which rekindle compare reads. Ctrl-C keeps what was measured.

Times depend on the machine; --baselines measures the same crashes recovered by other means in the same run, so that ratios are
comparable. --peer runs another agent instead of Rekindle's own: a command, which gets the flags of Rekindle's agent, or a profile
whose agent.command names one. The report names the SHA-256 of the program.

On Kubernetes each crash uses a fresh FUSE pod, because the kubelet delays restarts of pods that crashed before. The outage is
split between kubelet, daemon and agent, and printed next to the same crashes in the sandbox, with the agent's API requests.

Examples:
  rekindle bench --crashes 200
  rekindle bench --cluster kind --crashes 30
  rekindle bench --baselines
  rekindle bench --baselines --standby --takeover    everything beside everything, in one run
  rekindle bench --standby --crashes 200             end of the connection → first good read, with a standby
  rekindle bench --crash-loop                        what the kubelet's back-off costs, with and without a standby
  rekindle bench --vary rate=10,100,1000              does the probe disturb the result?
  rekindle bench --vary pods=1,10,100,250 --agent-cpu 200m --crashes 10
  rekindle bench --peer ./csi-nodeplugin --baselines
  rekindle bench --peer fluid --baselines
`;

export const compareHelp = `
Each argument is the results folder of a rekindle bench run, or its bench.json, for instance a committed baseline. The first is
the reference; every other run is compared with it, phase by phase: better, same, worse, or cannot tell. A difference matters if
it exceeds --tolerance of the reference and what the machine explains: the daemon's start shows how fast it was, and latencies
cannot be compared if it took 1.5 times as long, or if half of the earlier run's crashes stalled the probe for more than 40 ms,
because the machine was busy. Only phases that the agent controls count for the verdict. A series is also worse
if the later run lacks it or ended early, if pods were not recovered, mount lines grew, or stalls of a second or errors other than
those of a dead mount became more frequent. Runs of different fidelity, machines or conditions are refused, because their
differences mean nothing; --anyway compares them nevertheless.

PHASE is one of first-error, noticed, daemon, mount, node, pod, read, steady, verify, ready-to-readable, last-pod, outage;
without one, a budget applies to ready-to-readable, the agent's part. FIGURE is min, p50, p90, p99 or max.

Examples:
  rekindle compare results/before results/after
  rekindle compare baseline.json results/latest --fail-on worse
  rekindle compare baseline.json results/latest --budget p99=50ms --budget outage.p50=400ms

Exit status: 0 · 1 if --fail-on or a budget demands it · 2 if the runs cannot be compared
`;

export const simulateHelp = `
Without --fleet and --check it runs random histories on a modelled node in virtual time: daemons and standbys crash, hang, start slowly and
stack their mounts, pods come and go, containers restart, tenants mount and pose as others, the API server is silent, refuses, forgets
and conflicts, and the agent dies before any system call. Engine, mount calls, CSI service, watches and event queue are the agent's own.
After each step no pod may have another volume's data or a writable mount, a tenant's mounts
must be left, and no success may be reported that is none; at rest every pod that can be recovered must read. A history that fails is
made as short as possible, and printed with its seed, as a story and as a test. Exit status 1: a history failed.

--against-kernel runs random histories of mount calls on the modelled kernel and in private mount namespaces of this machine, with the
agent's replacements, publishing and clean-up among them, and compares all mount tables, what reads come to, and every errno after each
call. It needs root.

--fleet simulates every daemon and pod of a fleet for a year: crashes by cause, the kubelet's back-off, the agent's phases as rekindle bench
measured them, and compares six means of recovery: outages, availability, requests at the API server, memory and CPU of a node. Prints
the figures and where each comes from; writes fleet.json and fleet.html. Ctrl-C stops it; then nothing is written.

--check predicts the recoveries and the crash loops of other runs by the same model, each number of pods from the other ones, and
names the predictions that miss a median by more than 25 %.

Examples:
  rekindle simulate --seeds 2000
  rekindle simulate --until 30m --junit simulation.xml
  rekindle simulate --against-kernel --seeds 500
  rekindle simulate --against-kernel --seed 5:42 --kernel-tier 5.10
  rekindle simulate --fleet small
  rekindle simulate --fleet ./my-fleet.yaml --seed 7
  rekindle simulate --check results/bench results/conform    how well does the model predict what was measured?
`;

export const doctorHelp = `
Without a context, it checks this machine for the sandbox. With one, it checks the Kubernetes version, the nodes' systems, other
Fluid installations, the buckets that datasets name and virtual nodes; on each node, a short-lived privileged pod checks kernel,
/dev/fuse, mount propagation, the kubelet's directory, the mount root and SELinux in a temporary namespace. A dry run of the agent's
pod shows quotas and admission that would refuse it. Nodes that are not ready, virtual nodes without a label, networks in which the API
server reaches no pods, and runtime classes are named with the flags of rekindle deploy for them.

Examples:
  rekindle doctor
  rekindle doctor --context my-cluster
  rekindle doctor --context my-cluster --kubelet-root /data/kubelet
  rekindle doctor --context my-cluster --endpoint http://minio:9000 --bucket demo --secret default/mysecret
`;

export const deployHelp = `
Applies the manifests (server-side), waits until everything is ready, and prints what changed. The administrator decides whether
recovery is on: an update leaves the feature gate unchanged. --print shows the manifests; recovery/deploy/kustomize has the same for
kubectl apply -k. In a checkout, npm run image builds the image.

What nodes and clusters need is found beforehand by rekindle doctor --context. If the kubelet's directory is elsewhere, name it with
--kubelet-root (MicroK8s: /var/snap/microk8s/common/var/lib/kubelet; k0s: /var/lib/k0s/kubelet) or the link that leads to it. Where the
root of the nodes is read-only, name a directory below /var with --mount-root, and give Fluid the same (helm: runtime.mountRoot).
If the API server reaches nodes but no pods, use --webhook-host-network; if a firewall lets only some ports through, --webhook-port.

Pods on nodes that are not ready stop nothing: exit status 6 and a line for each, and the agent starts there when the node is back. If
pods are not created or do not start, the events say why, and everything stays for you to look at; run the command again afterwards.
Only webhook configurations without a webhook are removed, because they would refuse labelled pods. Exit status 3: nothing serves.

Examples:
  rekindle deploy --context my-cluster --image registry.example/rekindle/agent:0.2.0
  rekindle deploy --dry-run
  rekindle deploy --beside
  rekindle deploy --kubelet-root /data/kubelet --mount-root /var/lib/runtime-mnt
  rekindle deploy --remove
`;

export const cleanHelp = `
Removes processes, mounts, directories and containers that carry a run id, and nothing else. A run in progress is left alone
unless --run names it.

With --context, removes what a killed rekindle doctor left in that cluster, and with --run also what that run left there.

Examples:
  rekindle clean
  rekindle clean --run 20261122-134501-k3f9
  rekindle clean --context my-cluster --run 20261122-134501-k3f9
`;

export const reportHelp = `
RESULTS is the folder of a run (results/latest). Regenerates report.html, report.md, junit.xml and metrics.prom from its
record.json and history.ndjson.
`;

export const judgeHelp = `
RESULTS is the folder of a run (results/latest). Each check of this version judges again what it saw during the run, by
history.ndjson and the inputs in record.json. What was read live, such as an answer of the API server, keeps its conclusion. Prints
for each scenario whether anything differs, and writes the record and all reports anew; record.original.json keeps the first record.

Examples:
  rekindle judge results/latest
  rekindle judge results/20261122-134501-k3f9 --out judged

Exit status: as of conform, by the new verdict · 2 if the record contradicts itself or is of another version
`;

export const standbyHelp = `
Copies the FUSE DaemonSet of a dataset, as Fluid has made it, with another name, other labels, and a mount path in the dataset's own
directory: <mount root>/<runtime>/<namespace>/<dataset>/standby-0. The copy has no port, cache or writable host directory of the
original and no owner: Fluid neither changes nor deletes it, so remove it with the dataset. Run the command again after the runtime has
changed; it changes only what differs.

The node agent uses standbys if its gate is on: rekindle deploy --standby. When the dataset's daemon dies, pods continue with the standby
within milliseconds, whatever the kubelet's back-off is, and the restarted daemon is the standby from then on. Each standby costs the
memory of one more daemon on each node. Only volumes with the access mode ReadOnlyMany alone have a use for it, from Linux 5.12 on.

Examples:
  rekindle standby demo-dataset
  rekindle standby demo-dataset -n team-a --replicas 2 --context staging
  rekindle standby demo-dataset --print                 look at it first
  rekindle standby demo-dataset --remove
`;

export const statusHelp = `
Prints the mounts of the driver's volumes by node and volume, what cannot be read first: the state of each and since when, its last
recovery and the outage that it ended, or why it is left alone and what to do about it. All of it is what the node agents know
themselves; times begin with the start of an agent. "unproven" is a mount that was replaced and that its pod has not been seen to read.

The agents are asked through forwarded ports of their pods, so that RBAC decides who may: bind the ClusterRole rekindle:status-reader
in the namespace of the agents. docs/reference/status.md describes the JSON.

Examples:
  rekindle status --context my-cluster
  rekindle status --watch
  rekindle status -o json | jq '.nodes[].volumes[].mounts[] | select(.state != "healthy")'
  rekindle status --address 127.0.0.1:41234              as rekindle crash --hold prints it

Exit status: 0 every mount can be read · 1 some cannot · 3 the agents cannot be asked · 4 the agents of some nodes did not answer
`;

export const explainHelp = `
Prints what a pod mounts, whether it can read it and why not, and the events of the pod and its datasets in order. It reads the pod, its
events and the node agents, as rekindle status does.

Examples:
  rekindle explain demo-app
  rekindle explain demo-app -n team-a --context my-cluster
`;
