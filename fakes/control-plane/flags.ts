import { readFlags } from '../../recovery/command-line.ts';

export interface Flags {
  readonly port: number;
  /** Path of the file to which the administrator's kubeconfig is written. */
  readonly kubeconfig: string;
  /** The directory of nodes below which daemons mount; Fluid's usual one if it is missing. */
  readonly mountRoot?: string;
  /** A CSI driver whose volumes are created and deleted here, and the path of its socket. */
  readonly driver?: { readonly name: string; readonly socket: string };
}

/** Parses `--port=0 --kubeconfig=PATH --mount-root=PATH --driver=NAME=SOCKET`; returns a sentence if they are wrong. */
export function parseFlags(argv: readonly string[]): Flags | string {
  const { given, unknown } = readFlags(argv, ['port', 'kubeconfig', 'mount-root', 'driver']);
  if (unknown !== undefined)
    return `unknown flag ${unknown}; accepted: --port=0, --kubeconfig=PATH, --mount-root=PATH, --driver=NAME=SOCKET`;
  const port = Number(given.get('port') ?? 0);
  const kubeconfig = given.get('kubeconfig') ?? '';
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    return `--port=${given.get('port')}: must be between 0 and 65535`;
  if (kubeconfig === '') return "--kubeconfig=PATH is needed: the administrator's credentials are written there";
  const mountRoot = given.get('mount-root');
  const [, name, socket] = /^([^=]+)=(\/.+)$/.exec(given.get('driver') ?? '') ?? [];
  if (given.has('driver') && !socket) return `--driver=${given.get('driver')}: must be a name and the path of a socket`;
  return {
    port,
    kubeconfig,
    ...(mountRoot !== undefined && { mountRoot }),
    ...(name !== undefined && socket !== undefined && { driver: { name, socket } }),
  };
}
