import type { Container, LookUp, VolumeRecord } from '../engine/model.ts';
import { MountTree } from '../engine/mount-sites.ts';
import type { KernelPort, Result } from '../engine/ports.ts';
import { type KernelContext, openPath } from './context.ts';
import { type LineHelper, startLineHelper } from './helper.ts';
import type { LookUpRequest, LookUpResponse } from './prober/look-up.ts';
import { failed, inStep, ok } from './result.ts';
import { relativePath } from './stack.ts';

/** Milliseconds that the child may take for an answer, with its start. */
const timeout = 5_000;
/** Milliseconds for which an idle child is kept. */
const idleTimeout = 2_000;
/** Children that hang in a look-up: no more of containers are made, so that one is left for the kubelet's records. */
const maxStuck = 2;

export interface LookUpsOptions {
  readonly context: Pick<KernelContext, 'sys' | 'namespaces' | 'nodeTable' | 'walker'>;
  /** The kubelet's directory, without symbolic links. */
  readonly kubeletRoot: () => string;
  /** The prober; the argument `look-up` is added. */
  readonly command: readonly string[];
}

/** Makes look-ups in a child process, one at a time. A child that misses its deadline is killed, and nothing waits for its end. */
export function createLookUps({
  context,
  kubeletRoot,
  command,
}: LookUpsOptions): Pick<KernelPort, 'lookUp'> & Disposable {
  let child: LookUpChild | undefined;
  let last: Promise<unknown> = Promise.resolve();
  let idle: NodeJS.Timeout | undefined;
  let stuck = 0;

  const end = () => {
    clearTimeout(idle);
    child?.kill();
    child = undefined;
  };

  async function ask(request: LookUpRequest): Promise<LookUpResponse> {
    clearTimeout(idle);
    child ??= startChild([...command, 'look-up']);
    const current = child;
    const answer = await current.ask(request);
    if (answer === undefined) {
      end();
      stuck += 1;
      void current.ended.then(() => {
        stuck -= 1;
      });
      return { errno: 'ETIMEDOUT', call: 'openat2' };
    }
    idle = setTimeout(end, idleTimeout).unref();
    return answer;
  }

  async function readRecord(target: string): Promise<Result<VolumeRecord>> {
    const fail = (errno: string, call: string) => failed({ errno, call, path: target, step: 'read-record' });
    const directory = `${kubeletRoot()}/pods`;
    const pods = openPods(context, directory);
    if (!pods.ok) return pods;
    try {
      const path = `${relativePath(directory, target).replace(/\/mount$/, '')}/vol_data.json`;
      const answer = await ask({ read: path, below: `/proc/${process.pid}/fd/${pods.value}` });
      if (!('text' in answer)) return 'errno' in answer ? fail(answer.errno, answer.call) : fail('EIO', 'read');
      const record = parseVolumeRecord(answer.text);
      return record === undefined ? fail('EBADMSG', 'read') : ok(record);
    } finally {
      context.sys.close(pods.value);
    }
  }

  async function findMount(
    { pid, mounts, userNamespace }: Container,
    path: string,
  ): Promise<Result<{ mountPoint: string }>> {
    const fail = (errno: string, call: string) => failed({ errno, call, path, step: 'find-mount' });
    // In a user namespace of its own a tenant mounts FUSE filesystems that never answer.
    if (userNamespace !== undefined) return fail('EPERM', 'openat2');
    if (stuck >= maxStuck) return fail('EAGAIN', 'openat2');
    const answer = await ask({ resolve: path, root: `/proc/${pid}/root` });
    if (!('mountId' in answer)) return 'errno' in answer ? fail(answer.errno, answer.call) : fail('EIO', 'statx');
    const mount = mounts.find(({ id }) => id === answer.mountId);
    return mount === undefined ? fail('ESTALE', 'statx') : ok({ mountPoint: mount.mountPoint });
  }

  return {
    lookUp(lookUp: LookUp) {
      const made = last.then(
        (): Promise<Result<VolumeRecord | { mountPoint: string }>> =>
          lookUp.kind === 'record' ? readRecord(lookUp.target) : findMount(lookUp.container, lookUp.path),
      );
      last = made;
      return made;
    },
    [Symbol.dispose]: end,
  };
}

/** Opens (O_PATH) the kubelet's directory of pods on the node, and compares it with the node's mount table. */
function openPods(context: LookUpsOptions['context'], path: string): Result<number> {
  const { sys, namespaces, nodeTable } = context;
  const table = nodeTable();
  if (!table.ok) return table;
  const { stack, above } = MountTree.of(table.value).at(path);
  const mount = stack.at(-1) ?? above.at(-1);
  context.walker.prepare(false);
  const opened = namespaces.inNode(() => openPath(context, path));
  if (!opened.ok) return inStep('read-record', path, opened);
  const identity = sys.identify(opened.value);
  if (identity.ok && identity.value.mountId === mount?.id) return opened;
  sys.close(opened.value);
  return failed({ errno: 'ESTALE', call: 'statx', path, step: 'read-record' });
}

/** Parses `vol_data.json`; undefined if it is empty or lacks a driver or a handle. */
export function parseVolumeRecord(text: string): VolumeRecord | undefined {
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch {
    return undefined;
  }
  const { driverName, volumeHandle, specVolID } = Object(data) as Partial<Record<keyof VolumeRecord, unknown>>;
  const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';
  if (!isText(driverName) || !isText(volumeHandle) || !isText(specVolID)) return undefined;
  return { driverName, volumeHandle, specVolID };
}

interface LookUpChild extends Pick<LineHelper, 'ended' | 'kill'> {
  /** Undefined if there is no answer in time. */
  ask(request: LookUpRequest): Promise<LookUpResponse | undefined>;
}

function startChild(command: readonly string[]): LookUpChild {
  let respond: (response: LookUpResponse | undefined) => void = () => {};
  const helper = startLineHelper({ command, onLine: (line) => respond(JSON.parse(line)) });
  void helper.ended.then(() => respond(undefined));
  return {
    ended: helper.ended,
    kill: helper.kill,
    ask(request) {
      const { promise, resolve } = Promise.withResolvers<LookUpResponse | undefined>();
      const timer = setTimeout(() => resolve(undefined), timeout);
      respond = (response) => {
        clearTimeout(timer);
        resolve(response);
      };
      if (helper.hasEnded()) respond(undefined);
      else helper.send(JSON.stringify(request));
      return promise;
    },
  };
}
