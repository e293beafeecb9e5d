import { parseDuration } from '../clock.ts';
import type { CommandLine } from '../command-line.ts';
import type { RegistrationOptions } from '../csi/registration.ts';
import { parseEndpoint } from '../csi/socket.ts';
import { isNormalised } from '../csi/volume-source.ts';
import type { KernelTier, Nanoseconds, Policy } from '../engine/model.ts';
import { help } from './help.ts';
import type { Address } from './http.ts';

/** The agent's options: flags take precedence over the environment and the defaults. */
export interface AgentOptions {
  readonly nodeId: string;
  /** The CSI driver, or undefined if another node plugin publishes the volumes. */
  readonly csi:
    | {
        /** `unix:///path` of the CSI socket. */
        readonly endpoint: string;
        /** If given, the driver is registered with the kubelet. */
        readonly registration: KubeletRegistration | undefined;
      }
    | undefined;
  /** DaemonSet of another node plugin. No driver is served, and nothing is recovered while its gate is on. */
  readonly beside: { readonly namespace: string; readonly name: string } | undefined;
  /** Address of /metrics, /readyz and /livez. Port 0 picks a free one. Without a host, all addresses. */
  readonly metrics: Address;
  /** Address of /status: a loopback address. If undefined, it is not served. */
  readonly status: Address | undefined;
  /** Path. If undefined, the pod's service account is used. */
  readonly kubeconfig: string | undefined;
  readonly policy: Policy;
  /** Feature gate `FuseStandby`. */
  readonly standby: boolean;
  /** Connections that a keeper holds for daemons that are away are left alone. */
  readonly takeover: boolean;
  readonly kernelTier: KernelTier | undefined;
  readonly abortHungAfter: Nanoseconds | undefined;
  /** Whether pods that recovery leaves alone may ask for a restart or an eviction. */
  readonly fallback: boolean;
  /** Path of the node's mount namespace, or `kubelet` for the kubelet's. If undefined, the agent's own is used. */
  readonly nodeMountNamespace: string | undefined;
  /** Whose credentials patch the label of the node by which FUSE daemons are placed. */
  readonly patchNodes: 'kubelet' | 'account';
  /** Path of the kubelet's kubeconfig on the node. If there is no file, the agent's own credentials are used. */
  readonly kubeletKubeConfig: string;
  readonly resyncPeriod: Nanoseconds;
  readonly mountRoot: string;
  readonly kubeletRoot: string;
}

type KubeletRegistration = Omit<RegistrationOptions, 'onStatus'>;

/** Flags of Fluid's plugin that are accepted without effect, so that its manifests work unchanged. */
const ignored = new Set(['v', 'prune-fs', 'prune-path', 'pprof-addr', 'logtostderr', 'alsologtostderr']);

const flags = [
  'nodeid',
  'endpoint',
  'feature-gates',
  'metrics-addr',
  'status-addr',
  'kubeconfig',
  'read-write-scope',
  'sub-path',
  'pods',
  'unsupported-runtimes',
  'kernel-tier',
  'abort-hung-after',
  'fallback',
  'node-mount-namespace',
  'patch-nodes',
  'kubelet-kube-config',
  'kubelet-registration-path',
  'plugin-registration-path',
  'beside',
] as const;
type Flag = (typeof flags)[number];

/** The kubelet's kubeconfig of kubeadm. */
export const defaultKubeletConfig = '/etc/kubernetes/kubelet.conf';
/** Usual names of RuntimeClasses whose guests hold their own file descriptors: Kata, gVisor and Alibaba Cloud's sandboxes. */
export const defaultRuntimes = 'kata,kata-qemu,kata-clh,kata-fc,kata-containers,gvisor,runsc,runv,rund';

/** Below this period the resync would become a busy loop. */
const shortestPeriod = 100_000_000n;

/** Parses the command line and the environment. Pure. A message has the name of the flag and the accepted values. */
export function parseFlags({
  argv,
  env,
}: {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
}): CommandLine<AgentOptions> {
  try {
    const given = readFlags(argv);
    if (given === 'help') return { kind: 'help', text: help };
    return { kind: 'run', options: toOptions(given, env) };
  } catch (error) {
    if (error instanceof FlagError) return { kind: 'error', message: error.message };
    throw error;
  }
}

/** A mistake in the flags. Never leaves this file. */
class FlagError extends Error {
  readonly code = 'USAGE';
}

function readFlags(argv: readonly string[]): ReadonlyMap<Flag, string> | 'help' {
  const given = new Map<Flag, string>();
  // Fluid's entry point is `fluid-csi start --nodeid=...`.
  const rest = argv[0] === 'start' ? argv.slice(1) : [...argv];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    const [, name, , inline] = /^--?([a-z][a-z-]*)(=(.*))?$/s.exec(word) ?? [];
    if (name === 'help' || name === 'h') return 'help';
    if (name === undefined || !(isFlag(name) || ignored.has(name))) {
      throw new FlagError(
        `${word} is not known; the flags are ${flags.map((flag) => `--${flag}`).join(', ')} and --help`,
      );
    }
    const value = inline ?? (ignored.has(name) && rest[0]?.startsWith('-') !== false ? '' : rest.shift());
    if (value === undefined) throw new FlagError(`--${name} needs a value, as in --${name}=VALUE`);
    if (!isFlag(name)) continue;
    const before = name === 'feature-gates' ? given.get(name) : undefined;
    given.set(name, before === undefined ? value : `${before},${value}`);
  }
  return given;
}

const isFlag = (name: string): name is Flag => (flags as readonly string[]).includes(name);

function toOptions(given: ReadonlyMap<Flag, string>, env: Readonly<Record<string, string | undefined>>): AgentOptions {
  // Manifests may set a variable to the empty string.
  const value: Value = (flag, variable) =>
    given.get(flag) ?? ((variable === undefined ? undefined : env[variable]) || undefined);
  const nodeId = value('nodeid', 'NODE_ID');
  if (nodeId === undefined || nodeId === '')
    throw new FlagError('--nodeid or NODE_ID is needed: the name of this node');
  const beside = otherPlugin(value('beside'));
  const csi = beside === undefined ? driver(value) : undefined;
  const enabled = gates(value('feature-gates') ?? '');
  return {
    nodeId,
    csi,
    beside,
    metrics: address('--metrics-addr', value('metrics-addr') ?? ':8080'),
    status: loopback('--status-addr', value('status-addr')),
    kubeconfig: value('kubeconfig'),
    policy: {
      enabled: enabled.has('FuseRecovery'),
      readWriteScope: oneOf(given, 'read-write-scope', ['volume', 'cluster', 'recover']),
      subPath: oneOf(given, 'sub-path', ['refuse', 'recover']),
      pods: oneOf(given, 'pods', ['label', 'all']),
      unsupportedRuntimes: (value('unsupported-runtimes') ?? defaultRuntimes).split(',').filter((name) => name !== ''),
    },
    standby: enabled.has('FuseStandby'),
    takeover: enabled.has('FuseTakeover'),
    kernelTier: given.has('kernel-tier') ? oneOf(given, 'kernel-tier', ['6.5', '5.12', '5.10']) : undefined,
    abortHungAfter: given.has('abort-hung-after')
      ? duration('--abort-hung-after', given.get('abort-hung-after') ?? '')
      : undefined,
    fallback: oneOf(given, 'fallback', ['off', 'annotated']) === 'annotated',
    nodeMountNamespace: value('node-mount-namespace'),
    patchNodes: oneOf(given, 'patch-nodes', ['kubelet', 'account']),
    kubeletKubeConfig: directory('--kubelet-kube-config', value('kubelet-kube-config') || defaultKubeletConfig),
    resyncPeriod: duration('RECOVER_FUSE_PERIOD', env.RECOVER_FUSE_PERIOD || '5s'),
    mountRoot: directory('MOUNT_ROOT', env.MOUNT_ROOT || '/runtime-mnt'),
    kubeletRoot: directory('KUBELET_ROOTDIR', env.KUBELET_ROOTDIR || '/var/lib/kubelet'),
  };
}

/** The first accepted value is the default. */
function oneOf<const T extends string>(
  given: ReadonlyMap<Flag, string>,
  flag: Flag,
  accepted: readonly [T, ...T[]],
): T {
  const value = given.get(flag);
  if (value === undefined) return accepted[0];
  const found = accepted.find((each) => each === value);
  if (found === undefined) throw new FlagError(`--${flag}=${value}: the accepted values are ${accepted.join(', ')}`);
  return found;
}

const gateNames = ['FuseRecovery', 'FuseStandby', 'FuseTakeover'] as const;
type Gate = (typeof gateNames)[number];

/** The gates that are on. Those beside FuseRecovery need it. */
function gates(text: string): ReadonlySet<Gate> {
  const enabled = new Set<Gate>();
  for (const gate of text.split(',').filter((each) => each.trim() !== '')) {
    const [given, value, ...more] = gate.split('=').map((each) => each.trim());
    const name = gateNames.find((each) => each === given);
    if (name === undefined)
      throw new FlagError(`--feature-gates: ${given} is not known; the gates are ${gateNames.join(', ')}`);
    const isTrue = /^(1|t|T|TRUE|true|True)$/.test(value ?? '');
    if (!(isTrue || /^(0|f|F|FALSE|false|False)$/.test(value ?? '')) || more.length > 0) {
      throw new FlagError(`--feature-gates: ${gate.trim()}: the accepted values are ${name}=true and ${name}=false`);
    }
    if (isTrue) enabled.add(name);
    else enabled.delete(name);
  }
  const [dependent] = enabled.has('FuseRecovery') ? [] : enabled;
  if (dependent !== undefined) throw new FlagError(`--feature-gates: ${dependent}=true needs FuseRecovery=true`);
  return enabled;
}

function duration(name: string, text: string): Nanoseconds {
  const value = parseDuration(text);
  if (value !== undefined && value >= shortestPeriod) return value;
  throw new FlagError(`${name}=${text} is not a duration of at least 100ms, such as 5s, 1m30s or 500ms`);
}

function directory(name: string, text: string): string {
  const path = text.length > 1 ? text.replace(/\/+$/, '') : text;
  if (isNormalised(path)) return path;
  throw new FlagError(`${name}=${text} is not an absolute path without ".", ".." and doubled slashes`);
}

type Value = (flag: Flag, variable?: string) => string | undefined;

function driver(value: Value): AgentOptions['csi'] {
  const endpoint = value('endpoint', 'CSI_ENDPOINT');
  if (endpoint === undefined) {
    throw new FlagError('--endpoint or CSI_ENDPOINT is needed: the CSI socket, as in unix:///csi/csi.sock');
  }
  const socket = parseEndpoint(endpoint);
  if (!socket.ok) throw new FlagError(`--endpoint: ${socket.message}`);
  return {
    endpoint,
    registration: registration(value('kubelet-registration-path'), value('plugin-registration-path')),
  };
}

function otherPlugin(text: string | undefined): AgentOptions['beside'] {
  if (text === undefined) return undefined;
  const [, namespace, name] = /^([a-z0-9-]+)\/([a-z0-9.-]+)$/.exec(text) ?? [];
  if (namespace !== undefined && name !== undefined) return { namespace, name };
  throw new FlagError(`--beside=${text} is not NAMESPACE/NAME of the DaemonSet of the other node plugin`);
}

function registration(endpoint: string | undefined, place = '/registration'): KubeletRegistration | undefined {
  if (endpoint === undefined) return undefined;
  return {
    endpoint: directory('--kubelet-registration-path', endpoint),
    directory: directory('--plugin-registration-path', place),
  };
}

/** What it serves is for users only who may forward a port of the pod. */
function loopback(flag: string, text: string | undefined): Address | undefined {
  if (text === undefined) return undefined;
  const found = address(flag, text);
  if (found.host === '::1' || /^127\./.test(found.host ?? '')) return found;
  throw new FlagError(
    `${flag}=${text} is not a loopback address: it names the pods of all tenants, use 127.0.0.1:PORT`,
  );
}

function address(flag: string, text: string): Address {
  const [, host, bracketed, port] = /^(\[([0-9a-fA-F:.]+)\]|[^:[\]]*):(\d{1,5})$/.exec(text) ?? [];
  if (port === undefined || Number(port) > 65_535) {
    throw new FlagError(`${flag}=${text} is not of the form HOST:PORT or :PORT`);
  }
  return { host: bracketed ?? (host || undefined), port: Number(port) };
}
