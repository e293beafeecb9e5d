import type { Mount, MountSite } from '../engine/model.ts';
import type { Replaced, Replacement, Result } from '../engine/ports.ts';
import { assemble, needsStaging } from './assemble.ts';
import { attach, finish, innerAreBeneath, type Layers } from './attach.ts';
import { attributeChange, wantedOptions } from './attributes.ts';
import { type CarriedMount, reachElsewhere, reachInner, type UnreachedMount, withDirectories } from './carry.ts';
import { Descriptors, type KernelContext, type OpenSource, openPath, openSource } from './context.ts';
import { parseMountinfo } from './mountinfo.ts';
import { done, failed, inStep, ok } from './result.ts';
import { flattened, type IndexedTable, innerMounts, mountTree } from './stack.ts';
import { STAGING_MOUNT_POINTS } from './staging.ts';

/**
 * Clones all sources, then replaces all dead mounts: those of containers first, because programs wait there. One result per replacement,
 * in order.
 *
 * A site is changed only when its replacement is complete. If the process is killed between any two calls, the site has the old mount, perhaps
 * with the live one beneath it, for which `finish` exists. Nothing here waits for a daemon that is known to be dead.
 */
export function replaceAll(context: KernelContext, replacements: readonly Replacement[]): readonly Result<Replaced>[] {
  const jobs = replacements.map((replacement) => new Job(replacement));
  const inside = jobs.filter(({ replacement: { site } }) => site.kind === 'container');
  const onNode = jobs.filter(({ replacement: { site } }) => site.kind === 'target');
  for (const group of [inside, onNode]) {
    for (let from = 0; from < group.length; from += STAGING_MOUNT_POINTS)
      replaceBatch(context, group.slice(from, from + STAGING_MOUNT_POINTS));
  }
  return jobs.map((job) => job.result());
}

/** The progress of one replacement. */
class Job {
  readonly replacement: Replacement;
  /** False for a half-done replacement that lacks inner mounts, which is replaced again. */
  finishes: boolean;
  carried: readonly CarriedMount[] = [];
  unreached: readonly UnreachedMount[] = [];
  tree: number | undefined;
  present: readonly string[] = [];
  took = 0n;
  layers: Layers = [0, 0];
  failure: Result<never> | undefined;

  constructor(replacement: Replacement) {
    this.replacement = replacement;
    this.finishes = replacement.kind === 'finish';
  }

  get top(): Mount {
    return this.replacement.remove;
  }

  get wanted(): readonly string[] {
    return wantedOptions(this.top.options, this.replacement.readOnly);
  }

  /** Takes over the clone that was made in advance, if there is one. */
  take({ prepared }: KernelContext, fds: Descriptors): void {
    const clone = prepared?.take(this.replacement);
    if (clone === undefined) return;
    fds.own(ok(clone));
    this.tree = clone;
  }

  /** Runs one step unless an earlier one failed, and adds up the time. */
  advance(step: () => Result<void>): void {
    if (this.failure !== undefined) return;
    const start = process.hrtime.bigint();
    const result = step();
    this.took += process.hrtime.bigint() - start;
    if (!result.ok) this.failure = result;
  }

  result(): Result<Replaced> {
    if (this.failure !== undefined) return this.failure;
    const { site } = this.replacement;
    return ok({ site, took: this.took as Replaced['took'], layers: this.layers });
  }
}

function replaceBatch(context: KernelContext, jobs: readonly Job[]): void {
  using fds = new Descriptors(context.sys);
  context.walker.prepare(jobs.some(({ replacement: { source, below } }) => source.root !== '/' || below.length > 0));

  const withInner = jobs.filter(({ replacement }) => replacement.below.length > 0);
  visit(context, withInner, (job, table) => {
    const tree = table();
    return tree.ok ? carry(context, fds, job, tree.value) : tree;
  });

  const replacing = jobs.filter((job) => !job.finishes);
  for (const job of replacing) if (job.carried.length === 0 && job.unreached.length === 0) job.take(context, fds);
  const cloning = replacing.filter(({ tree }) => tree === undefined);
  const users = new Map<number, Result<number>>();
  for (const job of cloning) openUserNamespace(context, fds, users, job);
  const cloned =
    cloning.length === 0
      ? done
      : context.namespaces.inNode(() => {
          const table = context.nodeTable();
          if (!table.ok) return table;
          const sources = new Map<string, Result<OpenSource>>();
          for (const job of cloning) {
            job.advance(() => {
              const { path, device, root } = job.replacement.source;
              const key = `${device} ${root} ${path}`;
              const source = sources.get(key) ?? openSource(context, fds, job.replacement.source, table.value);
              sources.set(key, source);
              return source.ok ? clone(context, fds, users, job, source.value) : source;
            });
          }
          return done;
        });
  if (!cloned.ok) for (const job of cloning) job.advance(() => inStep('clone-source', '', cloned));

  stage(context, fds, replacing);
  visit(context, jobs, (job, table) => settle(context, job, table));
}

function carry(context: KernelContext, fds: Descriptors, job: Job, table: IndexedTable): Result<void> {
  const { replacement, top } = job;
  if (job.finishes) {
    if (innerAreBeneath(replacement, table)) return done;
    job.finishes = false;
  }
  const inner = innerMounts(top, table, replacement.below);
  if (inner.length === 0) return done;
  const root = fds.own(openPath(context, top.mountPoint));
  if (!root.ok) return inStep('open-mount', top.mountPoint, root);
  Object.assign(job, reachInner(context, fds, root.value, inner));
  return done;
}

function clone(
  context: KernelContext,
  fds: Descriptors,
  users: ReadonlyMap<number, Result<number>>,
  job: Job,
  source: OpenSource,
): Result<void> {
  const { replacement } = job;
  const user = userNamespaceOf(job, users);
  if (!user.ok) return user;
  const key = JSON.stringify([replacement.site, replacement.source, job.wanted]);
  const kept = context.clones.take(key);
  const tree = fds.own(kept === undefined ? cloneSource(context, job, source, user.value) : ok(kept));
  if (!tree.ok) return tree;
  job.tree = tree.value;
  job.present = source.options;

  const elsewhere = reachElsewhere(context, fds, job.unreached, replacement.elsewhere);
  if (!elsewhere.ok) return elsewhere;
  const carried = withDirectories(context, fds, tree.value, [...job.carried, ...elsewhere.value]);
  if (carried.ok) job.carried = carried.value;
  else if (carried.failure.errno === 'EINPROGRESS') {
    fds.release(tree.value);
    context.clones.keep(key, tree.value);
  }
  return carried.ok ? done : carried;
}

function cloneSource(
  { sys, tier }: KernelContext,
  { replacement: { source }, wanted }: Job,
  { fd }: OpenSource,
  userNamespace: number | undefined,
): Result<number> {
  const tree = inStep('clone-source', source.path, sys.cloneTree(fd, false));
  if (!tree.ok || (tier === '5.10' && userNamespace === undefined)) return tree;
  const changed =
    tier === '5.10'
      ? failed({ errno: 'ENOSYS', call: 'mount_setattr', path: '', step: '' })
      : sys.setAttributes(tree.value, attributeChange(wanted, userNamespace));
  if (changed.ok) return tree;
  sys.close(tree.value);
  return inStep(userNamespace === undefined ? 'set-attributes' : 'idmap', source.path, changed);
}

/** An idmapped mount uses the user namespace of its pod. */
function openUserNamespace(
  { sys }: KernelContext,
  fds: Descriptors,
  users: Map<number, Result<number>>,
  { replacement: { site }, top }: Job,
): void {
  if (site.kind !== 'container' || !top.options.includes('idmapped') || users.has(site.pid)) return;
  const path = `/proc/${site.pid}/ns/user`;
  users.set(site.pid, inStep('idmap', path, fds.own(sys.open(path))));
}

function userNamespaceOf(job: Job, users: ReadonlyMap<number, Result<number>>): Result<number | undefined> {
  const { site } = job.replacement;
  if (!job.top.options.includes('idmapped')) return ok(undefined);
  const opened = site.kind === 'container' ? users.get(site.pid) : undefined;
  return opened ?? failed({ errno: 'EINVAL', call: 'mount_setattr', path: site.path, step: 'idmap' });
}

function stage(context: KernelContext, fds: Descriptors, jobs: readonly Job[]): void {
  const staged = jobs.filter((job) => job.failure === undefined && needsStaging(context, job.carried));
  if (staged.length === 0) return;
  const entered = context.staging.enter(() => {
    for (const [index, job] of staged.entries()) {
      job.advance(() => {
        if (job.tree === undefined) return done;
        const { tree, present, wanted, carried } = job;
        const whole = assemble(context, fds, `/${index}`, { tree, present, wanted, carried });
        if (!whole.ok) return whole;
        job.tree = whole.value;
        return done;
      });
    }
    return done;
  });
  if (!entered.ok) for (const job of staged) job.advance(() => inStep('stage', '', entered));
}

function settle(context: KernelContext, job: Job, table: () => Result<IndexedTable>): Result<void> {
  const { replacement, tree } = job;
  let layers: Result<Layers>;
  if (job.finishes) layers = finish(context, replacement, table);
  else if (tree === undefined) return done;
  else {
    const carried = job.carried.reduce((sum, { inside }) => sum + 1 + flattened(inside).length, 0);
    layers = attach(context, { replacement, tree, carried }, table);
  }
  if (layers.ok) job.layers = layers.value;
  return layers.ok ? done : layers;
}

/** Visits each namespace once. `table` reads the mount table of the namespace at its first call. */
function visit(
  context: KernelContext,
  jobs: readonly Job[],
  step: (job: Job, table: () => Result<IndexedTable>) => Result<void>,
): void {
  const jobsByPid = Map.groupBy(
    jobs.filter((job) => job.failure === undefined),
    ({ replacement }) => namespaceOf(replacement.site),
  );
  const run = (pid: number, read: () => Result<readonly Mount[]>): Result<void> => {
    const table = once(() => {
      const mounts = read();
      return mounts.ok ? ok(mountTree(mounts.value)) : mounts;
    });
    for (const job of jobsByPid.get(pid) ?? []) job.advance(() => step(job, table));
    return done;
  };
  const processes = [...jobsByPid.values()].flatMap(([first]) =>
    first?.replacement.site.kind === 'container' ? [first.replacement.site] : [],
  );
  const read = () => readTable(context);
  const entered =
    processes.length === 0
      ? []
      : context.namespaces.inProcesses(processes, (pid) => run(pid, read), context.prepared?.pidfd);
  const visited = new Map(processes.map(({ pid }, index) => [pid, entered[index] ?? done]));
  if (jobsByPid.has(NODE))
    visited.set(
      NODE,
      context.namespaces.inNode(() => run(NODE, () => context.nodeTable())),
    );
  for (const [pid, result] of visited) {
    if (result.ok) continue;
    for (const job of jobsByPid.get(pid) ?? []) job.advance(() => inStep('enter', job.replacement.site.path, result));
  }
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

const NODE = 0;

function namespaceOf(site: MountSite): number {
  return site.kind === 'target' ? NODE : site.pid;
}

/** The mount table of the namespace that is being visited. */
export function readTable({ sys, namespaces }: KernelContext): Result<readonly Mount[]> {
  const table = namespaces.openTable();
  if (!table.ok) return inStep('read-table', '', table);
  try {
    const text = sys.readText(table.value);
    return text.ok ? ok(parseMountinfo(text.value)) : inStep('read-table', '', text);
  } finally {
    sys.close(table.value);
  }
}
