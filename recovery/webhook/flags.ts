import { isNormalised } from '../csi/volume-context.ts';
import type { Reached } from './registration.ts';

export interface WebhookFlags {
  readonly host: string;
  readonly port: number;
  /** Path; without it the pod's own service account is used. */
  readonly kubeconfig: string | undefined;
  readonly mountRoot: string;
  /** Where the API server finds it; a URL without a port is completed by the one that was bound. Undefined: it is not registered. */
  readonly register: Reached | undefined;
  /** Where replicas keep the certificate that they share. Undefined: each start makes one. */
  readonly certificateSecret: { readonly namespace: string; readonly name: string } | undefined;
}

export type ParsedFlags =
  | { readonly kind: 'run'; readonly flags: WebhookFlags }
  | { readonly kind: 'help'; readonly text: string }
  | { readonly kind: 'error'; readonly message: string };

const help = `Admission webhook of pods that use Fluid datasets.

  --listen=HOST:PORT      where HTTPS is served (0.0.0.0:9443); port 0 takes a free one
  --kubeconfig=PATH       the API server; the service account of the pod where it is not given
  --mount-root=PATH       directory below which FUSE daemons mount (MOUNT_ROOT, /runtime-mnt)
  --register=self         registers itself under the address that it listens on
  --register=NS/SERVICE   behind a Service, port 443: says what is to be trusted in configurations that are there
  --certificate-secret=NS/NAME
                          an empty Secret that is there: the certificate is kept in it, renewed in time, shared by all
                          replicas; without it each start makes one
`;

const accepted = ['listen', 'kubeconfig', 'mount-root', 'register', 'certificate-secret'];

/** Reads command line and environment. Pure. */
export function parseWebhookFlags({
  argv,
  env,
}: {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
}): ParsedFlags {
  const given = new Map<string, string>();
  for (const word of argv) {
    const [, name = '', value] = /^--([a-z-]+)(?:=(.*))?$/s.exec(word) ?? [];
    if (name === 'help') return { kind: 'help', text: help };
    if (!accepted.includes(name) || value === undefined)
      return bad(`${word} is not known; the flags are ${accepted.map((flag) => `--${flag}=`).join(', ')} and --help`);
    given.set(name, value);
  }
  const listen = given.get('listen') ?? '0.0.0.0:9443';
  const [, host = '', port = ''] = /^(?:\[?)(.+?)(?:\]?):(\d+)$/.exec(listen) ?? [];
  if (host === '' || Number(port) > 65_535) return bad(`--listen=${listen} is not HOST:PORT`);
  const mountRoot = given.get('mount-root') ?? (env.MOUNT_ROOT || '/runtime-mnt');
  if (!isNormalised(mountRoot))
    return bad(`--mount-root=${mountRoot} is not an absolute path without ".", ".." and doubled slashes`);
  const register = reachedBy(given.get('register'), host);
  if (register === 'wrong') return bad(`--register=${given.get('register')} is neither self nor NAMESPACE/SERVICE`);
  const secret = given.get('certificate-secret');
  const certificateSecret = namespaced(secret);
  if (secret !== undefined && certificateSecret === undefined)
    return bad(`--certificate-secret=${secret} is not NAMESPACE/NAME`);
  const kubeconfig = given.get('kubeconfig');
  return { kind: 'run', flags: { host, port: Number(port), kubeconfig, mountRoot, register, certificateSecret } };
}

function reachedBy(text: string | undefined, host: string): Reached | undefined | 'wrong' {
  if (text === undefined) return undefined;
  if (text === 'self') return { url: `https://${host.includes(':') ? `[${host}]` : host}` };
  const service = namespaced(text);
  return service === undefined ? 'wrong' : { service: { ...service, port: 443 } };
}

function namespaced(text = ''): { readonly namespace: string; readonly name: string } | undefined {
  const [, namespace, name] = /^([a-z0-9-]+)\/([a-z0-9-]+)$/.exec(text) ?? [];
  return namespace === undefined || name === undefined ? undefined : { namespace, name };
}

const bad = (message: string): ParsedFlags => ({ kind: 'error', message });
