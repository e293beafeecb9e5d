import { randomBytes } from 'node:crypto';
import { CoreV1Api, type KubeConfig, type V1Pod } from '@kubernetes/client-node';
import { removeObject } from '../../../clusters/kubernetes/remove-run.ts';
import { pollOrLast } from '../../../clusters/poll.ts';
import { openApi } from '../../../recovery/deploy/api.ts';

/** Result of the inspection of a node by a pod. */
export type NodeInspection =
  | { readonly state: 'not-inspected' }
  | { readonly state: 'failed'; readonly reason: string }
  | {
      readonly state: 'inspected';
      /** Result of opening the node's /dev/fuse: `ok` or an errno. */
      readonly fuse: string;
      /** The mount that contains the kubelet's directory, and whether it is shared. */
      readonly kubelet: { readonly mountPoint: string; readonly shared: boolean };
      /** Absent in reports of another version. */
      readonly places?: InspectedPlaces;
    };

/** What the pod found about the places that an agent uses. Paths are those of the node, without symbolic links. */
export interface InspectedPlaces {
  /** The directory that was asked for, if a kubelet has pods there. */
  readonly root?: string;
  /** The `--root-dir` of the kubelet's process; its default if it has none; absent if no process has a known name. */
  readonly used?: string;
  /** Why the mount root cannot be created; absent if it is there or can be. */
  readonly mountRootError?: string;
  readonly isSelinuxEnforcing: boolean;
  /** The kubelet's kubeconfig, and whether it names a program that is run for the credentials; absent if it was not found. */
  readonly kubeConfig?: { readonly path: string; readonly runsProgram: boolean };
}

interface InspectionOptions {
  readonly kubeConfig: KubeConfig;
  /** Names of real nodes. */
  readonly nodes: readonly string[];
  /** Any image with Node 18 or later. */
  readonly image: string;
  readonly request: InspectionRequest;
  readonly signal: AbortSignal;
}

/** What the pod of a node found. `stores`: one result for each URL; empty if the inspection failed. */
interface NodeResult {
  readonly inspection: NodeInspection;
  readonly stores: InspectionReport['stores'];
}

/** Label of the namespace of an inspection. Its value is the namespace's name. */
export const doctorLabel = 'rekindle.dev/doctor';

const timeoutMs = 60_000;
const stuckReasons = [
  'ErrImagePull',
  'ImagePullBackOff',
  'ErrImageNeverPull',
  'InvalidImageName',
  'CreateContainerError',
];

/**
 * Inspects each node with a short-lived privileged pod, in a namespace of its own that is removed before the promise resolves. The
 * first node also sends the requests to the URLs.
 */
export async function inspectNodes(options: InspectionOptions): Promise<ReadonlyMap<string, NodeResult>> {
  const { kubeConfig, nodes, request } = options;
  const core = kubeConfig.makeApiClient(CoreV1Api);
  const name = `rekindle-doctor-${randomBytes(4).toString('hex')}`;
  const labels = { [doctorLabel]: name, 'pod-security.kubernetes.io/enforce': 'privileged' };
  await core.createNamespace({ body: { metadata: { name, labels } } });
  try {
    const results = nodes.map(async (node, index) => {
      const body = inspectionPod(node, options.image, index === 0 ? request : { ...request, urls: [] });
      return [node, await inspect(core, { namespace: name, body, signal: options.signal })] as const;
    });
    return new Map(await Promise.all(results));
  } finally {
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
    await removeObject(openApi(kubeConfig), namespace, { timeoutMs });
  }
}

async function inspect(
  core: CoreV1Api,
  { namespace, body, signal }: { readonly namespace: string; readonly body: V1Pod; readonly signal: AbortSignal },
): Promise<NodeResult> {
  const failed = (reason: string): NodeResult => ({ inspection: { state: 'failed', reason }, stores: [] });
  const created = await core.createNamespacedPod({ namespace, body });
  const name = created.metadata?.name ?? '';
  const pod = await pollOrLast({
    read: () => core.readNamespacedPod({ namespace, name }),
    until: (pod) => stuckReason(pod) !== undefined || ['Failed', 'Succeeded'].includes(pod.status?.phase ?? ''),
    timeoutMs,
    intervalMs: 200,
    signal,
  });
  if (pod.status?.phase !== 'Succeeded') return failed(stuckReason(pod) ?? describeEnd(pod));
  const { fuse, kubelet, places, stores } = JSON.parse(
    await core.readNamespacedPodLog({ namespace, name }),
  ) as InspectionReport;
  return { inspection: { state: 'inspected', fuse, kubelet, places }, stores };
}

function inspectionPod(node: string, image: string, request: InspectionRequest): V1Pod {
  const program = `(${inspectNode.toString()})(JSON.parse(process.argv[1]))`;
  return {
    metadata: { generateName: 'inspect-' },
    spec: {
      nodeName: node,
      hostPID: true,
      restartPolicy: 'Never',
      tolerations: [{ operator: 'Exists' }],
      automountServiceAccountToken: false,
      terminationGracePeriodSeconds: 0,
      // Ends the pod even if this process was killed.
      activeDeadlineSeconds: 2 * (timeoutMs / 1000),
      containers: [
        {
          name: 'inspect',
          image,
          imagePullPolicy: 'IfNotPresent',
          command: ['node', '--eval', program, JSON.stringify(request)],
          securityContext: { privileged: true, runAsUser: 0 },
        },
      ],
    },
  };
}

/** The reason if a pod cannot start. */
function stuckReason({ status }: V1Pod): string | undefined {
  const waiting = status?.containerStatuses?.[0]?.state?.waiting;
  if (waiting?.reason === undefined || !stuckReasons.includes(waiting.reason)) return undefined;
  return [waiting.reason, waiting.message].filter(Boolean).join(': ');
}

function describeEnd({ status }: V1Pod): string {
  const state = status?.containerStatuses?.[0]?.state;
  const ended = state?.terminated;
  if (ended !== undefined) return `its pod ended with ${ended.exitCode}${ended.message ? `: ${ended.message}` : ''}`;
  return [`its pod is ${status?.phase ?? 'not seen'}`, state?.waiting?.reason, status?.reason, status?.message]
    .filter(Boolean)
    .join(': ');
}

/** Input of the program in the pod. */
interface InspectionRequest {
  readonly kubeletRoot: string;
  readonly mountRoot: string;
  /** Signed URLs of buckets, for HEAD requests. */
  readonly urls: readonly string[];
}

/** Output of the program in the pod, as JSON. */
interface InspectionReport {
  readonly fuse: string;
  readonly kubelet: { readonly mountPoint: string; readonly shared: boolean };
  readonly places: InspectedPlaces;
  readonly stores: readonly ({ readonly status: number } | { readonly reason: string })[];
}

/**
 * The program of a pod that inspects its node, for `node --eval`. It is sent as text, so it must not use anything outside of the
 * function. The pod sees the node's processes (hostPID), and process 1 gives access to the node's files and mounts.
 */
async function inspectNode(request: InspectionRequest): Promise<void> {
  const { existsSync, openSync, readdirSync, readFileSync, readlinkSync } = await import('node:fs');
  const fuse = () => {
    try {
      openSync('/proc/1/root/dev/fuse', 'r+');
      return 'ok';
    } catch (error) {
      return String((error as { code?: string }).code);
    }
  };
  const kubelet = () => {
    // The mount that contains the directory has the longest mount point above it; of equal ones, it is the last.
    const directory = withoutLinks(request.kubeletRoot);
    let best = { mountPoint: '', shared: false };
    for (const line of readFileSync('/proc/1/mountinfo', 'latin1').split('\n')) {
      const mountPoint = line.split(' ')[4] ?? '';
      const isAbove = `${directory}/`.startsWith(mountPoint === '/' ? '/' : `${mountPoint}/`);
      if (!isAbove || mountPoint === '' || mountPoint.length < best.mountPoint.length) continue;
      best = { mountPoint, shared: (line.split(' - ')[0] ?? '').includes(' shared:') };
    }
    return best;
  };
  const read = (path: string) => {
    try {
      return readFileSync(path, 'latin1');
    } catch {
      return '';
    }
  };
  /** Follows the links of the node itself, not of this container. */
  const withoutLinks = (path: string): string => {
    let parts = path.split('/').filter(Boolean);
    let done = '';
    for (let links = 0; parts.length > 0 && links < 40; ) {
      const [first = '', ...rest] = parts;
      let to: string | undefined;
      try {
        to = readlinkSync(`/proc/1/root${done}/${first}`);
      } catch {
        // It is no link, or is not there.
      }
      if (to === undefined) done = `${done}/${first}`;
      else {
        links++;
        if (to.startsWith('/')) done = '';
      }
      parts = to === undefined ? rest : [...to.split('/').filter((part) => part !== '' && part !== '.'), ...rest];
      while (parts[0] === '..') {
        done = done.replace(/\/[^/]*$/, '');
        parts = parts.slice(1);
      }
    }
    return done;
  };
  /** Of a process that is called as the kubelet is, in the node's own PID namespace. */
  const kubeletArguments = (): readonly string[] | undefined => {
    const names = ['kubelet', 'kubelite', 'k3s-server', 'k3s-agent', 'k3s', 'hyperkube'];
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      const isInPod = /kubepods/.test(read(`/proc/${pid}/cgroup`)) && !/kubepods/.test(read('/proc/1/cgroup'));
      if (names.includes(read(`/proc/${pid}/comm`).trim()) && !isInPod) return read(`/proc/${pid}/cmdline`).split('\0');
    }
    return undefined;
  };
  /** By the kubelet's argument, or at the places of kubeadm, EKS, K3s, RKE2 and MicroK8s. */
  const kubeConfig = (text: string) => {
    const given = /(?:^|[\s=])(?:--)?kubeconfig[= ](\/\S+)/.exec(text)?.[1];
    const usual = [
      '/etc/kubernetes/kubelet.conf',
      '/var/lib/kubelet/kubeconfig',
      '/var/lib/rancher/k3s/agent/kubelet.kubeconfig',
      '/var/lib/rancher/rke2/agent/kubelet.kubeconfig',
      '/var/snap/microk8s/current/credentials/kubelet.config',
    ];
    for (const path of given === undefined ? usual : [given]) {
      const config = read(`/proc/1/root${withoutLinks(path)}`);
      if (config !== '') return { kubeConfig: { path, runsProgram: /^\s*exec:/m.test(config) } };
    }
    return {};
  };
  const places = () => {
    const root = withoutLinks(request.kubeletRoot);
    const words = kubeletArguments();
    const text = words?.join(' ') ?? '';
    const given = /(?:^|[\s=-])root-dir[= ](\/\S+)/.exec(text)?.[1];
    // Other distributions have another default, so that only a kubelet of its own name is known to use this one.
    const usual = words?.[0]?.endsWith('kubelet') ? '/var/lib/kubelet' : undefined;
    const used = given ?? usual;
    let parent = withoutLinks(request.mountRoot);
    while (parent !== '' && !existsSync(`/proc/1/root${parent}`)) parent = parent.replace(/\/[^/]*$/, '');
    const isThere = parent === withoutLinks(request.mountRoot);
    let best = { mountPoint: '', options: '' };
    for (const line of read('/proc/1/mountinfo').split('\n')) {
      const [, , , , mountPoint = '', options = ''] = line.split(' ');
      const isAbove = `${parent}/`.startsWith(mountPoint === '/' ? '/' : `${mountPoint}/`);
      if (isAbove && mountPoint !== '' && mountPoint.length >= best.mountPoint.length) best = { mountPoint, options };
    }
    const isReadOnly = best.options.split(',').includes('ro') || read('/proc/1/mountinfo') === '';
    return {
      ...(existsSync(`/proc/1/root${root}/pods`) && { root }),
      ...(used !== undefined && { used: withoutLinks(used) }),
      ...(!isThere && isReadOnly && { mountRootError: `${best.mountPoint} is mounted read-only` }),
      isSelinuxEnforcing: read('/sys/fs/selinux/enforce').trim() === '1',
      ...kubeConfig(text),
    };
  };
  const stores: object[] = [];
  for (const url of request.urls) {
    try {
      const { status } = await fetch(url, { method: 'HEAD', redirect: 'manual', signal: AbortSignal.timeout(5000) });
      stores.push({ status });
    } catch (error) {
      const { message, cause } = error as Error & { cause?: { message?: string } };
      stores.push({ reason: cause?.message || message });
    }
  }
  process.stdout.write(`${JSON.stringify({ fuse: fuse(), kubelet: kubelet(), places: places(), stores })}\n`);
}
