import { randomBytes } from 'node:crypto';
import { CoreV1Api, type KubeConfig, type V1Pod } from '@kubernetes/client-node';
import { removeObject } from '../../../clusters/kubernetes/remove-run.ts';
import { pollOrLast } from '../../../clusters/poll.ts';
import { openApi } from '../../../recovery/deploy/api.ts';
import type { NodeLook } from './cluster-facts.ts';

export interface LookOptions {
  readonly kubeConfig: KubeConfig;
  /** Names of real nodes. */
  readonly nodes: readonly string[];
  /** Any image with Node 18 or later. */
  readonly image: string;
  readonly request: LookRequest;
  readonly signal: AbortSignal;
}

export interface Looked {
  readonly byNode: ReadonlyMap<string, NodeLook>;
  /** One result per URL, from the first node. Empty if its inspection failed. */
  readonly stores: LookAnswer['stores'];
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

/** Inspects each node with a short-lived privileged pod, in a namespace of its own that is removed before the promise resolves. */
export async function lookAtNodes({ kubeConfig, nodes, image, request, signal }: LookOptions): Promise<Looked> {
  const core = kubeConfig.makeApiClient(CoreV1Api);
  const name = `rekindle-doctor-${randomBytes(4).toString('hex')}`;
  const labels = { [doctorLabel]: name, 'pod-security.kubernetes.io/enforce': 'privileged' };
  await core.createNamespace({ body: { metadata: { name, labels } } });
  try {
    const byNode = new Map<string, NodeLook>();
    let stores: LookAnswer['stores'] = [];
    const looks = nodes.map(async (node, index) => {
      const asked = index === 0 ? request : { ...request, urls: [] };
      const seen = await lookAt({ core, namespace: name, node, image, request: asked, signal });
      byNode.set(node, seen.look);
      if (index === 0) stores = seen.stores;
    });
    await Promise.all(looks);
    return { byNode, stores };
  } finally {
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
    await removeObject(openApi(kubeConfig), namespace, { timeoutMs });
  }
}

interface OneLook {
  readonly core: CoreV1Api;
  readonly namespace: string;
  readonly node: string;
  readonly image: string;
  readonly request: LookRequest;
  readonly signal: AbortSignal;
}

async function lookAt(one: OneLook): Promise<{ readonly look: NodeLook; readonly stores: LookAnswer['stores'] }> {
  const { core, namespace, signal } = one;
  const failed = (says: string) => ({ look: { state: 'failed', says } as const, stores: [] });
  const created = await core.createNamespacedPod({ namespace, body: lookingPod(one) });
  const name = created.metadata?.name ?? '';
  const pod = await pollOrLast({
    read: () => core.readNamespacedPod({ namespace, name }),
    until: (pod) => stuckReason(pod) !== undefined || ['Failed', 'Succeeded'].includes(pod.status?.phase ?? ''),
    timeoutMs,
    intervalMs: 200,
    signal,
  });
  const stuck = stuckReason(pod);
  if (stuck !== undefined) return failed(stuck);
  if (pod.status?.phase !== 'Succeeded') return failed(describeEnd(pod));
  const { fuse, kubelet, stores } = JSON.parse(await core.readNamespacedPodLog({ namespace, name })) as LookAnswer;
  return { look: { state: 'seen', fuse, kubelet }, stores };
}

function lookingPod({ node, image, request }: OneLook): V1Pod {
  const program = `(${look.toString()})(JSON.parse(process.argv[1]))`;
  return {
    metadata: { generateName: 'look-' },
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
          name: 'look',
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
export interface LookRequest {
  readonly kubeletRoot: string;
  /** Signed URLs of buckets, for HEAD requests. */
  readonly urls: readonly string[];
}

/** Output of the program in the pod, as JSON. */
export interface LookAnswer {
  readonly fuse: string;
  readonly kubelet: { readonly mountPoint: string; readonly shared: boolean };
  readonly stores: readonly ({ readonly status: number } | { readonly says: string })[];
}

/**
 * The program of a pod that inspects its node, for `node --eval`. It is sent as text, so it must not use anything outside of the
 * function. The pod sees the node's processes (hostPID), and process 1 gives access to the node's files and mounts.
 */
export async function look(request: LookRequest): Promise<void> {
  const { openSync, readFileSync } = await import('node:fs');
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
    let best = { mountPoint: '', shared: false };
    for (const line of readFileSync('/proc/1/mountinfo', 'latin1').split('\n')) {
      const mountPoint = line.split(' ')[4] ?? '';
      const isAbove = `${request.kubeletRoot}/`.startsWith(mountPoint === '/' ? '/' : `${mountPoint}/`);
      if (!isAbove || mountPoint === '' || mountPoint.length < best.mountPoint.length) continue;
      best = { mountPoint, shared: (line.split(' - ')[0] ?? '').includes(' shared:') };
    }
    return best;
  };
  const stores: object[] = [];
  for (const url of request.urls) {
    try {
      const { status } = await fetch(url, { method: 'HEAD', redirect: 'manual', signal: AbortSignal.timeout(5000) });
      stores.push({ status });
    } catch (error) {
      const { message, cause } = error as Error & { cause?: { message?: string } };
      stores.push({ says: cause?.message || message });
    }
  }
  process.stdout.write(`${JSON.stringify({ fuse: fuse(), kubelet: kubelet(), stores })}\n`);
}
