import type { DeviceId, Failure, FilesystemUsage } from '../../engine/model.ts';
import type { AskRequest, ReadAnswer } from '../../engine/ports.ts';

/** A mount namespace, by a file of /proc. A pid may have been given to another process meanwhile. */
export interface NamespaceFile {
  readonly path: string;
  /** As /proc shows it, `mnt:[4026531841]`: the namespace is not entered if it has another name. */
  readonly name?: string;
}

/** The mount namespace of a site; undefined if it is the prober's own. `node`: path of the node's, if that is another one. */
export function namespaceOfSite(site: AskRequest['site'], node: string | undefined): NamespaceFile | undefined {
  if (site.kind === 'container') return { path: `/proc/${site.pid}/ns/mnt`, name: site.mountNamespace };
  return node === undefined ? undefined : { path: node };
}

/** A request to the prober: one line of JSON. */
export interface ProberRequest {
  readonly id: number;
  /** The mount namespace to read in; the prober's own if missing. */
  readonly namespace?: NamespaceFile;
  readonly path: string;
  /** What must be mounted there. */
  readonly device: DeviceId;
  /** The process whose credentials and capabilities the prober takes for the read; it keeps its own if missing. */
  readonly as?: {
    readonly pid: number;
    readonly uid: number;
    readonly gid: number;
    readonly groups: readonly number[];
  };
}

/** The prober's response, in the order of the requests. */
export type ProberResponse =
  | { readonly id: number; readonly answer: ReadAnswer }
  | { readonly id: number; readonly failure: Failure };

/** The prober prints this line once, when it can serve requests. */
export const ready = 'ready';

/** Does a connection answer statfs? Asked through one of its mounts. */
export interface Question {
  readonly id: number;
  readonly path: string;
  /** The mount namespace of that path; the process's own if missing. */
  readonly namespace?: NamespaceFile;
  readonly device: DeviceId;
}

/** `unknown`: it could not be asked. `usage` is missing if the daemon answered with an error or zeros. */
export type Answer = { readonly unknown: string } | { readonly dead: string } | { readonly usage?: FilesystemUsage };

/**
 * A request to the process that waits for daemons. `confirm`: has the question been put to the daemon? `at`: open a path below a
 * descriptor of the parent, and hold the descriptor until `release`.
 */
export type WaitRequest =
  | Question
  | { readonly confirm: number }
  | { readonly id: number; readonly at: number; readonly path: string }
  | { readonly release: number };

/** Responses come in any order. There is none to `release`, and none to `confirm` if the answer has been printed. */
export type WaitResponse = { readonly id: number } & (Answer | { readonly isAsked: boolean } | OpenResponse);

/** The response to a path to open: a descriptor of the process, or the name of an errno. */
export type OpenResponse = { readonly fd: number } | { readonly errno: string };
