import { defaultKubeletConfig, defaultRuntimes } from '../../../recovery/agent/flags.ts';
import { type Finding, missing, note, ok } from '../assess.ts';
import type { InspectedCluster, InspectedNode } from './gather-cluster.ts';
import type { InspectedPlaces } from './inspect-nodes.ts';

/** Judges in what a cluster and its nodes differ from the usual, and with which flags `rekindle deploy` follows. Pure. */
export function assessPlaces(facts: InspectedCluster): readonly Finding[] {
  const real = facts.nodes.filter(({ virtual }) => !virtual);
  return [
    ...real.flatMap(readiness),
    ...facts.nodes.flatMap(virtualLabel),
    ...real.flatMap((node) => places(node, facts)),
    ...creation(facts),
    ...network(facts),
    ...runtimes(facts),
  ];
}

function readiness({ name, ready, cordoned }: InspectedNode): readonly Finding[] {
  const what = `readiness of ${name}`;
  if (!ready)
    return [
      note(
        what,
        'not ready: rekindle deploy ends with status 6, and the agent starts there when the node is back',
        `kubectl describe node ${name}`,
      ),
    ];
  if (cordoned) return [note(what, 'cordoned: the agent runs there, new pods do not', `kubectl uncordon ${name}`)];
  return [];
}

/** Agents avoid virtual nodes by a label. */
function virtualLabel({ name, virtual, avoided }: InspectedNode): readonly Finding[] {
  if (!virtual || avoided) return [];
  const says = 'virtual, but without the label by which agents avoid it: their pods would stay pending there';
  return [note(`label of ${name}`, says, `kubectl label node ${name} type=virtual-kubelet`)];
}

function places({ name, inspection }: InspectedNode, facts: InspectedCluster): readonly Finding[] {
  if (inspection.state !== 'inspected' || inspection.places === undefined) return [];
  const { places } = inspection;
  return [
    kubeletRoot(name, places, facts),
    mountRoot(name, places, facts),
    ...selinux(name, places),
    credentials(name, places),
  ];
}

function kubeletRoot(name: string, { root, used }: InspectedPlaces, { asked }: InspectedCluster): Finding {
  const what = `kubelet directory of ${name}`;
  const path = asked.kubeletRoot;
  if (used !== undefined && used !== root)
    return missing(
      what,
      `the kubelet uses ${used}, and ${path} ${root === undefined ? 'is not there' : 'leads elsewhere'}`,
      `rekindle deploy --kubelet-root ${used}; if nodes differ, on this node: ln -s ${used} ${path}`,
    );
  if (root === undefined)
    return missing(
      what,
      `${path} has no pods, and no process with a known name of the kubelet runs`,
      'look for --root-dir among the arguments of the process that is the kubelet: rekindle deploy --kubelet-root PATH',
    );
  return ok(what, root === path ? path : `${path}, which leads to ${root}`);
}

function mountRoot(name: string, { mountRootError }: InspectedPlaces, { asked }: InspectedCluster): Finding {
  const what = `mount root of ${name}`;
  if (mountRootError === undefined) return ok(what, asked.mountRoot);
  return missing(
    what,
    `${asked.mountRoot} cannot be created: ${mountRootError}`,
    'rekindle deploy --mount-root /var/lib/runtime-mnt, and the same for Fluid: helm --set runtime.mountRoot=/var/lib/runtime-mnt',
  );
}

function selinux(name: string, { isSelinuxEnforcing }: InspectedPlaces): readonly Finding[] {
  if (!isSelinuxEnforcing) return [];
  const says = 'enforcing: agent and keeper run as spc_t; not tried on such a node';
  return [note(`SELinux of ${name}`, says, 'if mounts are denied: ausearch --message avc --comm node, on the node')];
}

/** With Fluid's controllers the agent labels its node with the kubelet's credentials. */
function credentials(name: string, { kubeConfig }: InspectedPlaces): Finding {
  const what = `kubelet's kubeconfig of ${name}`;
  const patch = 'with Fluid: rekindle deploy --patch-nodes';
  if (kubeConfig === undefined)
    return note(what, 'was not found', `${patch}, or --kubelet-kube-config PATH if you know it`);
  const { path, runsProgram } = kubeConfig;
  if (runsProgram) return note(what, `${path} names a program that is run for the credentials`, patch);
  if (path === defaultKubeletConfig) return ok(what, path);
  return note(what, path, `with Fluid: rekindle deploy --kubelet-kube-config ${path}`);
}

/** Quotas, Pod Security, and other admission, as a dry run of the agent's pod met them. */
function creation({ admission }: InspectedCluster): readonly Finding[] {
  const what = "creation of the agent's pods";
  switch (admission.state) {
    case 'not-tried':
      return [note(what, 'was not tried', 'run it without --no-pods')];
    case 'admitted':
      return [ok(what, `allowed in ${admission.namespace}`)];
    case 'refused':
      return [missing(what, `refused in ${admission.namespace}: ${admission.message}`, remedyFor(admission.message))];
  }
}

function remedyFor(message: string): string {
  if (/PodSecurity/.test(message))
    return 'kubectl label namespace fluid-system --overwrite pod-security.kubernetes.io/enforce=privileged';
  if (/security context constraint/.test(message))
    return 'oc adm policy add-scc-to-user privileged -z csi-nodeplugin-fluid -n fluid-system';
  if (/quota|priority ?class/i.test(message))
    return 'allow pods of the class system-node-critical there: a ResourceQuota with a scopeSelector of PriorityClass';
  return 'exempt the namespace fluid-system from what refuses it';
}

/** Networks in which the API server is known not to reach pods, or not every port of them. */
function network({ isEksWithOtherNetwork, isGke }: InspectedCluster): readonly Finding[] {
  const what = 'webhook network';
  if (isEksWithOtherNetwork)
    return [
      note(
        what,
        'EKS without the VPC network plugin: the API server reaches nodes, but no pods',
        'rekindle deploy --webhook-host-network',
      ),
    ];
  if (isGke)
    return [
      note(
        what,
        'GKE: the firewall of a private cluster lets the API server reach ports 443 and 10250 of nodes and pods only',
        'rekindle deploy --webhook-port 10250, or add a rule for 9443',
      ),
    ];
  return [];
}

function runtimes({ sandboxRuntimes }: InspectedCluster): readonly Finding[] {
  if (sandboxRuntimes.length === 0) return [];
  const names = sandboxRuntimes.join(', ');
  return [
    note(
      'runtime classes',
      `${names}: pods of a sandboxed runtime, which the agent does not know by these names, and which it cannot recover`,
      `rekindle deploy -- --unsupported-runtimes=${defaultRuntimes},${sandboxRuntimes.join(',')}`,
    ),
  ];
}
