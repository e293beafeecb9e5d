import { type CommandLine, readFlags } from '../command-line.ts';
import { isNormalised } from '../csi/volume-source.ts';
import type { WebhookEndpoint } from './registration.ts';

export interface WebhookFlags {
  /** If undefined, the webhook listens on all addresses, IPv6 and IPv4. */
  readonly host: string | undefined;
  readonly port: number;
  /** Path. If undefined, the pod's service account is used. */
  readonly kubeconfig: string | undefined;
  readonly mountRoot: string;
  /** How the API server reaches the webhook. The bound port is appended to a URL. If undefined, the webhook is not registered. */
  readonly register: WebhookEndpoint | undefined;
  /** Whether labelled pods may mount a directory of a dataset, because the agents recover it. */
  readonly recoversSubPath: boolean;
  /** The Secret that holds the certificate of all replicas. If undefined, each start creates a certificate. */
  readonly certificateSecret: { readonly namespace: string; readonly name: string } | undefined;
}

const help = `Admission webhook of pods that use Fluid datasets.

  --listen=HOST:PORT      address of the HTTPS server (:9443, on all IPv6 and IPv4 addresses);
                          port 0 picks a free one
  --kubeconfig=PATH       how to reach the API server; the default is the pod's service account
  --mount-root=PATH       directory below which FUSE daemons mount (MOUNT_ROOT, /runtime-mnt)
  --register=self         registers the webhook under the address that it listens on
  --register=NS/SERVICE   for a webhook behind port 443 of a Service: sets the CA in the existing configurations
  --sub-path=recover      admits labelled pods that mount a directory of a dataset, as the agents have this flag
  --certificate-secret=NS/NAME
                          an existing Secret, empty at first, in which the certificate is stored, renewed before it
                          expires and shared by all replicas; without it each start creates a certificate
`;

const accepted = ['listen', 'kubeconfig', 'mount-root', 'register', 'certificate-secret', 'sub-path'] as const;

/** Parses the command line and the environment. Pure. */
export function parseWebhookFlags({
  argv,
  env,
}: {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
}): CommandLine<WebhookFlags> {
  if (argv.includes('--help')) return { kind: 'help', text: help };
  const { given, unknown } = readFlags(argv, accepted);
  if (unknown !== undefined) {
    const flags = accepted.map((flag) => `--${flag}=`).join(', ');
    return usageError(`${unknown} is not a known flag; the flags are ${flags} and --help`);
  }
  const listen = given.get('listen') ?? ':9443';
  const [, bracketed, plain, port] = /^(?:\[(.+)\]|(.*?)):(\d+)$/.exec(listen) ?? [];
  const host = bracketed ?? (plain || undefined);
  if (port === undefined || Number(port) > 65_535) return usageError(`--listen=${listen} is not HOST:PORT or :PORT`);
  const mountRoot = given.get('mount-root') ?? (env.MOUNT_ROOT || '/runtime-mnt');
  if (!isNormalised(mountRoot))
    return usageError(`--mount-root=${mountRoot} is not an absolute path without ".", ".." and repeated slashes`);
  const register = parseEndpoint(given.get('register'), host);
  if (register === 'invalid')
    return usageError(`--register=${given.get('register')} is neither self nor NAMESPACE/SERVICE`);
  const secret = given.get('certificate-secret');
  const certificateSecret = parseNamespacedName(secret);
  if (secret !== undefined && certificateSecret === undefined)
    return usageError(`--certificate-secret=${secret} is not NAMESPACE/NAME`);
  const kubeconfig = given.get('kubeconfig');
  const subPath = given.get('sub-path') ?? 'refuse';
  if (subPath !== 'refuse' && subPath !== 'recover')
    return usageError(`--sub-path=${subPath} is neither refuse nor recover`);
  const recoversSubPath = subPath === 'recover';
  const options = { host, port: Number(port), kubeconfig, mountRoot, register, recoversSubPath, certificateSecret };
  return { kind: 'run', options };
}

function parseEndpoint(text: string | undefined, host = 'localhost'): WebhookEndpoint | undefined | 'invalid' {
  if (text === undefined) return undefined;
  if (text === 'self') return { url: `https://${host.includes(':') ? `[${host}]` : host}` };
  const service = parseNamespacedName(text);
  return service === undefined ? 'invalid' : { service: { ...service, port: 443 } };
}

function parseNamespacedName(text = ''): { readonly namespace: string; readonly name: string } | undefined {
  const [, namespace, name] = /^([a-z0-9-]+)\/([a-z0-9-]+)$/.exec(text) ?? [];
  return namespace === undefined || name === undefined ? undefined : { namespace, name };
}

const usageError = (message: string): CommandLine<WebhookFlags> => ({ kind: 'error', message });
