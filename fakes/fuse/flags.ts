import { isAbsolute, normalize } from 'node:path';
import { readFlags } from '../../recovery/command-line.ts';

export interface DaemonFlags {
  /** Absolute, without a slash at its end. */
  readonly mountpoint: string;
  /** `http://host:port`. */
  readonly endpoint: string;
  readonly bucket: string;
  /** Empty, or ends in a slash. */
  readonly prefix: string;
  /** Directory with the files `accessKeyId` and `accessKeySecret`. */
  readonly credentials: string;
  /** JSON, not parsed yet. */
  readonly behaviour: string | undefined;
  /** The daemon does not mount while this file exists, which is how the harness keeps it down on a cluster. */
  readonly holdFile: string | undefined;
  /** The socket of the keeper that keeps the connection while no daemon runs (`recovery/keeper`). */
  readonly keeper: string | undefined;
  /** The superblock is read-only, as with `-o ro`, unless the behaviour overrides it. */
  readonly readOnly: boolean;
}

export type DaemonArguments =
  | { readonly ok: true; readonly flags: DaemonFlags }
  | { readonly ok: false; readonly message: string };

const required = ['mountpoint', 'endpoint', 'bucket', 'credentials'] as const;
const optional = ['prefix', 'behaviour', 'hold-file', 'keeper', 'read-only'] as const;

/** Parses `--name=value` arguments. */
export function parseFlags(argv: readonly string[]): DaemonArguments {
  const accepted = [...required, ...optional] as const;
  const { given, unknown } = readFlags(argv, accepted);
  if (unknown !== undefined)
    return invalid(`unknown argument ${unknown}: accepted are ${accepted.map((name) => `--${name}=...`).join(' ')}`);
  const missing = required.filter((name) => (given.get(name) ?? '') === '');
  if (missing.length > 0) return invalid(`missing ${missing.map((name) => `--${name}=...`).join(' ')}`);
  const [mountpoint = '', endpoint = '', bucket = '', credentials = ''] = required.map((name) => given.get(name));
  if (!isAbsolute(mountpoint)) return invalid(`--mountpoint=${mountpoint} is not an absolute path`);
  if (!isHttpOrigin(endpoint)) return invalid(`--endpoint=${endpoint} is not of the form http://host:port`);
  const prefix = (given.get('prefix') ?? '').replace(/^\/+|\/+$/g, '');
  return {
    ok: true,
    flags: {
      mountpoint: normalize(mountpoint).replace(/(?<=.)\/$/, ''),
      endpoint: endpoint.replace(/\/$/, ''),
      bucket,
      prefix: prefix === '' ? '' : `${prefix}/`,
      credentials,
      behaviour: given.get('behaviour'),
      holdFile: given.get('hold-file'),
      keeper: given.get('keeper'),
      readOnly: given.get('read-only') === 'true',
    },
  };
}

function isHttpOrigin(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, pathname, search } = new URL(text);
  return protocol === 'http:' && pathname === '/' && search === '';
}

function invalid(message: string): DaemonArguments {
  return { ok: false, message };
}
