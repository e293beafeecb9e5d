import type { Container, DeviceId, KernelTier, Liveness, Mount, Nanoseconds, VolumeRecord } from '../model.ts';
import { MountTree } from '../mount-sites.ts';
import type {
  AskRequest,
  ClockPort,
  KernelPort,
  ReadAnswer,
  ReadRequest,
  Replaced,
  Replacement,
  Result,
} from '../ports.ts';

/** How a modelled connection answers. `starting`: it is mounted, but the daemon has not answered INIT. */
export type ConnectionState = 'starting' | 'live' | 'hung' | 'dead';

/** Thrown by `replaceAll` if the test makes the agent die between two system calls. */
export class AgentDied extends Error {
  readonly code = 'AGENT_DIED';
}

export interface ModelledContainer extends Omit<Container, 'mounts'> {
  readonly mounts: Mount[];
  /** Its table as last read; undefined until a scan of all processes has found it. */
  lastRead?: readonly Mount[];
  /** Symbolic links of the image. */
  readonly links?: Readonly<Record<string, string>>;
  /** Whether a mount has been replaced in it since. */
  outdated?: boolean;
}

/** A connection of the modelled kernel. */
interface Connection {
  state: ConnectionState;
  readonly waiting: Set<() => void>;
  readonly denied: Set<number>;
  listing: string;
  /** When the question that has no answer was asked. */
  askedAt?: Nanoseconds;
}

export interface Counts {
  questions: number;
  reads: number;
  tables: number;
  scans: number;
  allScans: number;
  replacements: number;
}

/** A kernel port over mount tables and connections in memory. Mount points and parents behave like the kernel's. */
export interface ModelledKernel extends KernelPort {
  readonly host: Mount[];
  readonly processes: ModelledContainer[];
  readonly counts: Counts;
  /** Mounts a new connection, on top of the mounts at the path, as a daemon does if its mount point is in use. */
  mountFuse(table: Mount[], path: string, state?: ConnectionState, facts?: Partial<Mount>): DeviceId;
  /** Mounts a device at a path. */
  bind(table: Mount[], path: string, facts: Partial<Mount> & Pick<Mount, 'device'>): Mount;
  /** Detaches the top mount of a path with all its descendants. */
  detach(table: Mount[], path: string): void;
  /** Ends the daemon, after which every call on the connection fails with ENOTCONN. */
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
  /** Makes the agent die before the n-th mount call from now, counted from 0; undefined: never. */
  dieBefore(call: number | undefined): void;
  /** Makes those mount calls fail for which the function returns an errno. */
  failWith(failing: ((step: string, replacement: Replacement) => string | undefined) | undefined): void;
  /** Makes a path a slave of another site, as for a pod with HostToContainer on a kernel that stacks mounts. */
  propagate(from: string, to: Mount[], path: string): void;
  readonly aborted: DeviceId[];
  /** The replacements for which something is held. */
  readonly prepared: readonly Replacement[];
  /** What the kubelet has recorded beside target paths. */
  readonly records: Map<string, VolumeRecord>;
}

export function createModelledKernel(clock: ClockPort, tier: KernelTier = '6.5'): ModelledKernel {
  const host: Mount[] = [];
  const processes: ModelledContainer[] = [];
  const connections = new Map<DeviceId, Connection>();
  const daemons = new Map<DeviceId, Set<() => void>>();
  const watchers = new Set<() => void>();
  const counts: Counts = { questions: 0, reads: 0, tables: 0, scans: 0, allScans: 0, replacements: 0 };
  const aborted: DeviceId[] = [];
  const records = new Map<string, VolumeRecord>();
  const prepared: Replacement[] = [];
  let snapshot: readonly Mount[] | undefined;
  let containers: readonly Container[] = [];
  let nextMount = 100;
  let nextMinor = 50;
  const slaves = new Map<string, { readonly table: Mount[]; readonly path: string }>();
  let callsLeft: number | undefined;
  let failing: ((step: string, replacement: Replacement) => string | undefined) | undefined;

  add(host, { mountPoint: '/', device: '8:1' as DeviceId, fstype: 'ext4', parentId: 1 });

  function add(table: Mount[], facts: Partial<Mount> & Pick<Mount, 'mountPoint' | 'device' | 'parentId'>): Mount {
    const mount: Mount = {
      id: nextMount,
      root: '/',
      options: ['rw', 'relatime'],
      fstype: 'fuse.fake',
      mountSource: 'fake',
      superOptions: ['rw'],
      ...facts,
    };
    nextMount += 1;
    table.push(mount);
    changed(table);
    return mount;
  }

  function changed(table: Mount[]): void {
    if (table !== host) return;
    snapshot = undefined;
    for (const watcher of watchers) queueMicrotask(watcher);
  }

  function attachOn(table: Mount[], path: string, facts: Partial<Mount> & Pick<Mount, 'device'>): Mount {
    const { stack, above } = new MountTree(table).at(path);
    const parent = stack.at(-1) ?? above.at(-1);
    return add(table, { ...facts, mountPoint: path, parentId: parent?.id ?? 1 });
  }

  function remove(table: Mount[], mount: Mount): void {
    for (const child of table.filter(({ parentId }) => parentId === mount.id)) remove(table, child);
    table.splice(table.indexOf(mount), 1);
    changed(table);
  }

  function connect(device: DeviceId, state: ConnectionState): void {
    connections.set(device, { state, waiting: new Set(), denied: new Set(), listing: 'files' });
  }

  function setState(device: DeviceId, state: ConnectionState): void {
    const connection = connections.get(device);
    if (connection === undefined) throw new Error(`no connection ${device}`);
    connection.state = state;
    if (state === 'starting' || state === 'hung') return;
    for (const wake of [...connection.waiting]) wake();
  }

  function crash(device: DeviceId): void {
    setState(device, 'dead');
    handOver(device);
  }

  function handOver(device: DeviceId): void {
    const exits = [...(daemons.get(device) ?? [])];
    daemons.delete(device);
    for (const exited of exits) exited();
  }

  function tableOf(site: ReadRequest['site']): Mount[] | undefined {
    return site.kind === 'container' ? processes.find(({ pid }) => pid === site.pid)?.mounts : host;
  }

  /** Resolves with false at the deadline if the connection has not answered by then. */
  async function answers(connection: Connection, deadline: Nanoseconds): Promise<boolean> {
    if (connection.state !== 'starting' && connection.state !== 'hung') return Promise.resolve(true);
    return new Promise<boolean>((resolve) => {
      const timer = clock.after((deadline - clock.now()) as Nanoseconds, () => done(false));
      const wake = () => done(true);
      connection.waiting.add(wake);
      function done(result: boolean): void {
        timer[Symbol.dispose]();
        connection.waiting.delete(wake);
        resolve(result);
      }
    });
  }

  function topAt(site: AskRequest['site']): Mount | undefined {
    const table = tableOf(site);
    return table === undefined ? undefined : new MountTree(table).top(site.path);
  }

  async function ask({ site, device, deadline }: AskRequest): Promise<Liveness> {
    counts.questions += 1;
    const top = topAt(site);
    if (top?.device !== device) return { status: 'unknown', errno: top === undefined ? 'ENOENT' : 'ESTALE' };
    const connection = connections.get(device);
    if (connection === undefined) return { status: 'live' };
    connection.askedAt ??= clock.now();
    const since = connection.askedAt;
    if (!(await answers(connection, deadline))) return { status: 'hung', since };
    delete connection.askedAt;
    return connection.state === 'dead' ? { status: 'dead', errno: 'ENOTCONN' } : { status: 'live' };
  }

  async function read({ site, user, deadline }: ReadRequest): Promise<Result<ReadAnswer>> {
    counts.reads += 1;
    const fails = (errno: string, step: string) => ({
      ok: false as const,
      failure: { errno, call: 'read', path: site.path, step },
    });
    const top = topAt(site);
    if (top === undefined) return fails('ENOENT', 'read-open');
    const connection = connections.get(top.device);
    if (connection === undefined) return { ok: true, value: { device: top.device } };
    if (!(await answers(connection, deadline))) return fails('ETIMEDOUT', 'read-list');
    if (connection.state === 'dead') return fails('ENOTCONN', 'read-list');
    if (connection.denied.has(user?.uid ?? 0)) return fails('EACCES', 'read-byte');
    return { ok: true, value: { device: top.device, listing: connection.listing } };
  }

  /** As for the adapter, links of a container in a user namespace of its own are not followed. */
  function mountAt({ pid, userNamespace }: Container, path: string): { readonly mountPoint: string } | undefined {
    const process = processes.find((each) => each.pid === pid);
    const mountPoint = followLinks(path, process?.links);
    const isMounted = new MountTree(process?.mounts ?? []).top(mountPoint) !== undefined;
    return isMounted && userNamespace === undefined ? { mountPoint } : undefined;
  }

  function call(step: string, replacement: Replacement): Result<undefined> {
    if (callsLeft === 0) throw new AgentDied(`before ${step}`);
    if (callsLeft !== undefined) callsLeft -= 1;
    const errno = failing?.(step, replacement);
    if (errno === undefined) return { ok: true, value: undefined };
    return { ok: false, failure: { errno, call: 'move_mount', path: replacement.site.path, step } };
  }

  function replace(replacement: Replacement): Result<Replaced> {
    const { site, stack, source, readOnly, kind } = replacement;
    const table = tableOf(site);
    const stale = {
      ok: false as const,
      failure: { errno: 'ESTALE', call: 'statx', path: site.path, step: 'check-stack' },
    };
    if (table === undefined) return stale;
    const container = processes.find(({ mounts }) => mounts === table);
    if (container !== undefined) container.outdated = true;
    const ids = (mounts: readonly Mount[]) => mounts.map(({ id }) => id).join();
    const now = new MountTree(table).at(site.path);
    if (ids(now.stack) !== ids(stack)) return stale;
    if (new MountTree(host).top(source.path)?.device !== source.device) return stale;
    const top = now.stack.at(-1);
    if (top?.id !== replacement.remove.id) return stale;
    // Mounts made inside since the snapshot would be lost.
    const expected = new Set(replacement.below.map(({ id }) => id));
    const onTop = table.filter(({ parentId }) => parentId === top.id);
    if (onTop.some(({ id }) => !expected.has(id))) return stale;
    counts.replacements += 1;
    const before = stack.length;

    if (kind === 'replace') {
      const attached = call('attach-beneath', replacement);
      if (!attached.ok) return attached;
      const options = readOnly ? ['ro', 'relatime'] : ['rw', 'relatime'];
      const { device, root } = source;
      const live = add(table, { mountPoint: site.path, device, root, options, parentId: top.parentId });
      const { fstype, mountSource } = top;
      const at = table.indexOf(top);
      table[at] = { ...top, parentId: live.id };
      table[table.indexOf(live)] = { ...live, fstype, mountSource };
      for (const inner of onTop) copyOn(table, inner, live.id);
      changed(table);
    }
    const detached = call('detach', replacement);
    if (!detached.ok) return detached;
    const dead = table.find(({ id }) => id === top.id);
    if (dead !== undefined) remove(table, dead);
    const after = new MountTree(table).at(site.path).stack.length;
    const slave = slaves.get(site.path);
    if (slave !== undefined) attachOn(slave.table, slave.path, { device: source.device, options: ['ro'] });
    return { ok: true, value: { site, took: 1000n as Nanoseconds, layers: [before, after] } };
  }

  function copyOn(table: Mount[], inner: Mount, parentId: number): void {
    const children = table.filter((each) => each.parentId === inner.id);
    const { id: _, ...rest } = inner;
    const copy = add(table, { ...rest, parentId });
    for (const child of children) copyOn(table, child, copy.id);
  }

  return {
    tier,
    host,
    processes,
    counts,
    aborted,
    records,
    prepared,
    mountFuse(table, path, state = 'live', facts = {}) {
      // The kernel gives the number of a device again once nothing uses it.
      const device = facts.device ?? (`0:${nextMinor}` as DeviceId);
      if (facts.device === undefined) nextMinor += 1;
      connect(device, state);
      attachOn(table, path, { ...facts, device });
      return device;
    },
    bind: (table, path, facts) => attachOn(table, path, facts),
    detach(table, path) {
      const top = new MountTree(table).top(path);
      if (top !== undefined) remove(table, top);
    },
    setListing(device, listing) {
      const connection = connections.get(device);
      if (connection !== undefined) connection.listing = listing;
    },
    crash,
    handOver,
    setState,
    stateOf: (device) => connections.get(device)?.state ?? 'dead',
    deny: (device, uid) => void connections.get(device)?.denied.add(uid),
    admit: (device, uid) => void connections.get(device)?.denied.delete(uid),
    dieBefore(count) {
      callsLeft = count;
    },
    failWith(errnoFor) {
      failing = errnoFor;
    },
    propagate: (from, table, path) => void slaves.set(from, { table, path }),
    prepareContainers: () => Promise.resolve(),
    hostMounts() {
      counts.tables += 1;
      snapshot ??= [...host];
      return { ok: true, value: snapshot };
    },
    containers(scope) {
      counts.scans += 1;
      if (scope !== 'known') counts.allScans += 1;
      const found = processes.flatMap((each) => {
        if (scope === 'known' && each.lastRead === undefined) return [];
        const { lastRead: before, outdated = false, links: _, ...container } = each;
        const isSame = before !== undefined && JSON.stringify(before) === JSON.stringify(each.mounts);
        const isKept = isSame || (scope === 'new' && before !== undefined && !outdated);
        const mounts = isKept ? before : [...each.mounts];
        each.lastRead = mounts;
        each.outdated = false;
        return [{ ...container, mounts }];
      });
      const isSame =
        found.length === containers.length &&
        found.every(({ pid, mounts }, at) => pid === containers[at]?.pid && mounts === containers[at].mounts);
      if (!isSame) containers = found;
      return containers;
    },
    async lookUp(lookUp) {
      const found = lookUp.kind === 'record' ? records.get(lookUp.target) : mountAt(lookUp.container, lookUp.path);
      const path = lookUp.kind === 'record' ? lookUp.target : lookUp.path;
      return found === undefined
        ? { ok: false, failure: { errno: 'ENOENT', call: 'openat2', path, step: 'look-up' } }
        : { ok: true, value: found };
    },
    prepare(wanted) {
      prepared.splice(0, prepared.length, ...wanted);
      return true;
    },
    replaceAll: (replacements) => replacements.map(replace),
    ask,
    read,
    abort(device) {
      aborted.push(device);
      setState(device, 'dead');
      return { ok: true, value: undefined };
    },
    watchMounts(callback) {
      watchers.add(callback);
      return { [Symbol.dispose]: () => void watchers.delete(callback) };
    },
    watchDaemon(device, exited) {
      const own = daemons.get(device) ?? new Set();
      daemons.set(device, own.add(exited));
      return { [Symbol.dispose]: () => void own.delete(exited) };
    },
  };
}

/** The path to which symbolic links lead, given as absolute paths. */
export function followLinks(path: string, links: Readonly<Record<string, string>> = {}): string {
  const link = Object.keys(links).find((each) => path === each || path.startsWith(`${each}/`));
  return link === undefined ? path : `${links[link]}${path.slice(link.length)}`;
}
