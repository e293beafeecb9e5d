import { type ConnectionState, FuseConnection } from '../../linux/model/connection.ts';
import { KernelModel } from '../../linux/model/kernel-model.ts';
import { createModelledPort } from '../../linux/model/modelled-port.ts';
import {
  enterContainer,
  type ModelledProcess,
  makeDirectory,
  type RuntimeMount,
} from '../../linux/model/modelled-process.ts';
import { ModelledSyscalls } from '../../linux/model/modelled-syscalls.ts';
import { type Filesystem, followDown, isRoot, type MountNamespace, type VfsPath } from '../../linux/model/mounts.ts';
import { createMountinfoParser } from '../../linux/mountinfo.ts';
import { CLONE_NEWNS, MNT_DETACH, MS_REC, MS_SHARED } from '../../linux/syscalls.ts';
import type { DeviceId, KernelTier, Mount, VolumeRecord } from '../model.ts';
import type { ClockPort, KernelPort, Replacement } from '../ports.ts';

export const kubeletRoot = '/var/lib/kubelet';

/** Thrown out of the system call before which a test makes the agent die. */
export class AgentDied extends Error {
  readonly code = 'AGENT_DIED';
}

/** A process of a container. `mounts` is always the current table of its namespace. */
export interface ModelledContainer extends ModelledProcess {
  readonly podUid: string;
  readonly name: string;
  readonly mounts: readonly Mount[];
}

interface Counts {
  questions: number;
  reads: number;
  tables: number;
  scans: number;
  allScans: number;
  replacements: number;
}

/** Whose table the agent is about to change: the node's, a container's, or that of its own staging namespace. */
type Visited = 'node' | 'container' | 'staging';

/** The modelled kernel with an agent on it, and what a test does to both. A table is `host` or `mounts` of a container. */
export interface ModelledKernel extends KernelPort {
  /** The current table of the node. */
  readonly host: readonly Mount[];
  readonly processes: ModelledContainer[];
  readonly counts: Counts;
  /** Mounts a new connection, on top of the mounts at the path, as a daemon does if its mount point is in use. */
  mountFuse(table: readonly Mount[], path: string, state?: ConnectionState, facts?: Partial<Mount>): DeviceId;
  /** Mounts a device at a path. */
  bind(table: readonly Mount[], path: string, facts: Partial<Mount> & Pick<Mount, 'device'>): void;
  /** Detaches the top mount of a path with all its descendants. */
  detach(table: readonly Mount[], path: string): void;
  /** Starts a process of a container. */
  start(
    container: Pick<ModelledContainer, 'podUid' | 'name' | 'pid' | 'links'>,
    mounts: readonly RuntimeMount[],
  ): ModelledContainer;
  /** A process in a copy of a container's mount namespace, which is not among `processes`. */
  fork(container: ModelledContainer, facts: Partial<ModelledProcess>): ModelledContainer;
  crash(device: DeviceId): void;
  /** Gives the root of a connection other entries. */
  setListing(device: DeviceId, listing: string): void;
  /** Ends the process of the daemon, whose connection another process has. */
  handOver(device: DeviceId): void;
  setState(device: DeviceId, state: ConnectionState): void;
  stateOf(device: DeviceId): ConnectionState;
  /** Makes reads of the device fail with EACCES for a uid. */
  deny(device: DeviceId, uid: number): void;
  admit(device: DeviceId, uid: number): void;
  /** Makes the agent die before the n-th attachment or detachment from now, counted from 0; undefined: never. */
  dieBefore(call: number | undefined): void;
  /** Makes those calls of the agent that attach or detach fail for which the function returns an errno. */
  failWith(failing: ((call: string, visited: Visited) => string | undefined) | undefined): void;
  readonly aborted: DeviceId[];
  /** The replacements for which something is held. */
  readonly prepared: readonly Replacement[];
  /** What the kubelet has recorded beside target paths. */
  readonly records: Map<string, VolumeRecord>;
}

const changing: ReadonlySet<string> = new Set(['move_mount', 'umount2']);

/** What the daemons of tests serve: the directories that volumes, subPaths and inner mounts name. */
const entries = ['a', 'b', 'cache', 'sub', 'team'];

export function createModelledKernel(clock: ClockPort, tier: KernelTier = '6.5'): ModelledKernel {
  const kernel = new KernelModel({ now: () => Number(clock.now() / 1_000_000n) });
  const tables = new Map<
    MountNamespace,
    { readonly table: Mount[]; readonly parse: (text: string) => readonly Mount[] }
  >();
  const users = new Map<readonly Mount[], ModelledSyscalls>();
  const filesystems = new Map<DeviceId, Filesystem>();
  const processes: ModelledContainer[] = [];
  const records = new Map<string, VolumeRecord>();
  const counts: Counts = { questions: 0, reads: 0, tables: 0, scans: 0, allScans: 0, replacements: 0 };
  const aborted: DeviceId[] = [];
  const prepared: Replacement[] = [];
  let nextMinor = 50;
  let callsLeft: number | undefined;
  let failing: Parameters<ModelledKernel['failWith']>[0];

  const tableOf = (sys: ModelledSyscalls): Mount[] => {
    const known = tables.get(sys.namespace) ?? { table: [], parse: createMountinfoParser() };
    tables.set(sys.namespace, known);
    const { table, parse } = known;
    if (!users.has(table)) users.set(table, sys);
    table.splice(0, table.length, ...parse(sys.table));
    return table;
  };
  kernel.watch((namespace) => {
    const user = users.get(tables.get(namespace)?.table ?? []);
    if (user !== undefined) tableOf(user);
  });
  const node = new ModelledSyscalls({ kernel });
  node.mount({ source: null, target: '/', fstype: null, flags: MS_SHARED | MS_REC });
  for (const path of ['/run/container', `${kubeletRoot}/pods`]) makeDirectory(node, path);
  const host = tableOf(node);

  const sys = new ModelledSyscalls({
    kernel,
    namespaceOf: (pid) => processes.find((each) => each.pid === pid)?.sys.namespace,
    before(call) {
      if (!changing.has(call)) return undefined;
      if (callsLeft === 0) throw new AgentDied(`before ${call}`);
      if (callsLeft !== undefined) callsLeft -= 1;
      const isContainer = processes.some((each) => each.sys.namespace === sys.namespace);
      return failing?.(call, sys.namespace === kernel.initial ? 'node' : isContainer ? 'container' : 'staging');
    },
  });
  const port = createModelledPort({ kernel, sys, clock, tier, kubeletRoot, processes: () => processes, records });

  const userOf = (table: readonly Mount[]): ModelledSyscalls => {
    const user = users.get(table);
    if (user === undefined) throw new Error('no namespace has this table');
    return user;
  };

  /** The topmost place at a path. Makes missing directories, also those of FUSE file systems, without asking their daemons. */
  function placeAt(table: readonly Mount[], path: string): VfsPath {
    let at = kernel.rootOf(userOf(table).namespace);
    for (const name of path.split('/').filter((each) => each !== '')) {
      const dentry = at.dentry.child(name);
      at = followDown({ mount: at.mount, dentry });
    }
    return at;
  }

  function attach(table: readonly Mount[], path: string, filesystem: Filesystem, facts: Partial<Mount>): void {
    const root = (facts.root ?? '/')
      .split('/')
      .filter((each) => each !== '')
      .reduce((dentry, name) => dentry.child(name), filesystem.root);
    const options = (facts.options ?? ['relatime']).filter((option) => option !== 'rw');
    const at = placeAt(table, path);
    kernel.attach(kernel.propagation.create(root, options), at.mount, at.dentry, kernel.initial);
  }

  function filesystemOf(facts: Partial<Mount>, connection?: FuseConnection): Filesystem {
    const { fstype = 'fuse.fake', mountSource: source = 'fake', device = `0:${nextMinor++}` as DeviceId } = facts;
    const made = kernel.filesystem({ device, fstype, source, ...(connection === undefined ? {} : { connection }) });
    filesystems.set(device, made);
    return made;
  }

  const connectionOf = (device: DeviceId): FuseConnection => {
    const connection = filesystems.get(device)?.connection;
    if (connection === undefined) throw new Error(`no connection ${device}`);
    return connection;
  };

  return {
    ...port,
    host,
    processes,
    counts,
    aborted,
    records,
    prepared,
    mountFuse(table, path, state = 'live', facts = {}) {
      const filesystem = filesystemOf(facts, new FuseConnection({ state, entries }));
      attach(table, path, filesystem, facts);
      return filesystem.device;
    },
    bind(table, path, facts) {
      const known = filesystems.get(facts.device);
      // The kernel gives the number of a device again once nothing uses it.
      const isKnown = known !== undefined && (facts.fstype ?? known.fstype) === known.fstype;
      attach(table, path, isKnown ? known : filesystemOf(facts), facts);
    },
    detach(table, path) {
      const place = placeAt(table, path);
      if (isRoot(place)) userOf(table).umount(path, MNT_DETACH);
    },
    start(container, mounts) {
      for (const { from } of mounts) placeAt(host, from);
      const process = new ModelledSyscalls({ kernel });
      enterContainer(process, mounts);
      const user = { uid: 1000, gid: 1000, groups: [] };
      return { ...container, startTime: String(container.pid), user, sys: process, mounts: tableOf(process) };
    },
    fork(container, facts) {
      const process = new ModelledSyscalls({ kernel, namespace: container.sys.namespace });
      process.unshare(CLONE_NEWNS);
      return { ...container, ...facts, sys: process, mounts: tableOf(process) };
    },
    setListing(device, listing) {
      connectionOf(device).listing = listing;
    },
    crash: (device) => connectionOf(device).crash(),
    handOver: (device) => connectionOf(device).handOver(),
    setState(device, state) {
      connectionOf(device).state = state;
    },
    stateOf: (device) => filesystems.get(device)?.connection?.state ?? 'dead',
    deny: (device, uid) => void connectionOf(device).denied.add(uid),
    admit: (device, uid) => void connectionOf(device).denied.delete(uid),
    dieBefore(count) {
      callsLeft = count;
    },
    failWith(errnoFor) {
      failing = errnoFor;
    },
    hostMounts() {
      counts.tables += 1;
      return port.hostMounts();
    },
    containers(scope) {
      counts.scans += 1;
      if (scope !== 'known') counts.allScans += 1;
      return port.containers(scope);
    },
    prepare(wanted) {
      prepared.splice(0, prepared.length, ...wanted);
      return port.prepare(wanted);
    },
    replaceAll(replacements) {
      const results = port.replaceAll(replacements);
      counts.replacements += results.length;
      return results;
    },
    ask(request) {
      counts.questions += 1;
      return port.ask(request);
    },
    read(request) {
      counts.reads += 1;
      return port.read(request);
    },
    abort(device) {
      aborted.push(device);
      return port.abort(device);
    },
  };
}
