import { accessSync, constants } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { isRoot, needsKernel, needsRoot, runScenario, type ScenarioRun } from './fixtures/private-namespace.ts';
import { findKubelet } from './kubelet.ts';

const hasKubelet = isRoot && findKubelet('/proc').kind !== 'unnamed';

/** A mounted hierarchy in which cgroups can be made: the only one, or one of version 1. */
const cgroups = ['/sys/fs/cgroup', '/sys/fs/cgroup/cpuacct'].find((directory) => {
  try {
    accessSync(`${directory}/cgroup.procs`, constants.W_OK);
    return true;
  } catch {
    return false;
  }
});

const kernel = (name: string, run?: ScenarioRun) => runScenario<unknown>('kernel', name, run);

describe.skipIf(!isRoot)(`the kernel port${needsRoot}`, () => {
  for (const tier of ['6.5', '5.12', '5.10'] as const)
    describe.skipIf(needsKernel(tier) !== '')(`publishing on tier ${tier}${needsKernel(tier)}`, () => {
      it('mounts a private clone, read-only on request', async () => {
        expect(await kernel('publish', { tier })).toEqual({
          published: ['ok', 'ok'],
          again: 'attach EBUSY',
          options: ['ro', 'nosuid', 'nodev', 'relatime'],
          writable: ['rw', 'nosuid', 'nodev', 'relatime'],
          sameGroup: false,
          leaked: 0,
          text: 'contents',
        });
      });
    });

  it('publishes a directory of a source, and never a bare directory', async () => {
    expect(await kernel('publishSubdirectory')).toEqual({
      published: 'ok',
      missing: 'clone-source ENOENT',
      bare: 'clone-source ESTALE',
      root: '/cache',
    });
  });

  it('reads what the kubelet has recorded of a volume, and nothing that could be taken for it', async () => {
    expect(await kernel('records')).toEqual({
      good: { specVolID: 'v', volumeHandle: 'h', driverName: 'd' },
      missing: 'openat2 ENOENT',
      empty: 'read EBADMSG',
      damaged: 'read EBADMSG',
      long: 'read EFBIG',
      fifo: 'fstat EINVAL',
      directory: 'fstat EINVAL',
      link: 'openat2 ELOOP',
      mounted: 'openat2 EXDEV',
      linkedDirectory: 'openat2 ELOOP',
    });
  });

  it('finds the mount to which a path of a container leads', async () => {
    expect(await kernel('links')).toEqual({
      linked: '{"mountPoint":"/image/run/data"}',
      log: '{"mountPoint":"/image/run/log"}',
      missing: 'openat2 ENOENT',
      directory: 'statx EINVAL',
      ended: 'open ENOENT',
      tenant: 'openat2 EPERM',
    });
  });

  it('unpublishes every layer, dead and hung ones too, and follows no symbolic link', async () => {
    expect(await kernel('unpublish')).toEqual({
      outcome: ['ok', 'ok', 'ok', 'open-target ELOOP'],
      left: [0, 1],
      removed: ['ok', 'ok', 'rmdir EBUSY'],
    });
  });

  it('reads as the consumer, with exactly its rights', async () => {
    expect(await kernel('reads')).toEqual({
      answers: ['ok', 'read-open ENOTCONN', 'ok', 'read-open ENOENT', 'ok', 'ok', 'read-open-file EACCES', 'ok'],
      device: true,
      back: 'ok',
    });
  });

  it('reads as the only user of a user namespace', async () => {
    const { answers } = (await kernel('reads', { rootless: true })) as { readonly answers: readonly string[] };
    expect(answers.slice(0, 4)).toEqual(['ok', 'read-open ENOTCONN', 'ok', 'read-open ENOENT']);
    expect(answers[5]).toBe('ok');
  });

  it('lets only its probers wait for a hung daemon', async () => {
    expect(await kernel('hung')).toEqual({
      beside: 'ok',
      published: 'ok',
      answered: 'read ETIMEDOUT',
      behind: 'read-queue ETIMEDOUT',
      after: 'ok',
      replaced: ['ok'],
    });
  });

  it.each([false, true])(
    'has one pending question per connection, until the connection is aborted (rootless: %s)',
    async (rootless) => {
      expect(await kernel('deaf', { rootless })).toEqual({
        isSameCall: true,
        beside: 'live',
        aborted: 'ok',
        last: expect.stringMatching(/ENOTCONN|ECONNABORTED/),
      });
    },
  );

  it('takes any answer of a daemon for life, and nothing else', async () => {
    expect(await kernel('answers')).toEqual({
      live: [
        'live',
        { usage: { totalBytes: 409600, availableBytes: 245760, usedBytes: 122880, inodes: 8, freeInodes: 7 } },
      ],
      whileListing: ['ignores readdir', 'live', 'read-list '],
      dead: 'dead ENOTCONN',
      unsupported: 'live',
      ungreeted: 'unknown ECONNREFUSED',
      zeros: 'live',
      notAdmitted: 'unknown EACCES',
      admitted: 'live',
      another: 'EACCES',
      otherMount: 'unknown ESTALE',
      noMount: 'unknown ENOENT',
      noProcess: { status: 'unknown', errno: 'ENOENT' },
      otherContainer: { status: 'unknown', errno: 'ESRCH' },
    });
  });

  it('publishes and replaces a volume at once, however long its root takes to list', async () => {
    expect(await kernel('slowRoot')).toEqual({
      ignored: 'ignores readdir',
      found: true,
      published: 'ok',
      replaced: true,
      devices: [true, true],
      listed: 'read-list',
    });
  });

  it('asks a hundred silent connections with one process, which delays nothing else', async () => {
    expect(await kernel('hundredHung')).toEqual({ beside: ['live', 'ok'], waiting: [100] });
  });

  it('knows nothing of a connection if the process that asks ends', async () => {
    expect(await kernel('lanesEnd')).toEqual(['unknown ECHILD', 'dead ENOTCONN']);
  });

  it('knows nothing of a connection if the process that asks does not run', async () => {
    expect(await kernel('lanesStopped')).toEqual(['live', 'unknown EAGAIN', 'live']);
  });

  it('waits for a daemon that hangs in a look-up only until the timeout', async () => {
    expect(await kernel('deafToNames')).toEqual({
      published: 'clone-source ETIMEDOUT',
      replaced: ['clone-source ETIMEDOUT'],
      others: ['ok', 'ok'],
    });
  });

  it('waits for no daemon of an image on whose path a mount is', async () => {
    expect(await kernel('stoppedImage')).toEqual({
      stopped: ['open-mount EINPROGRESS', 'ok'],
      unpublished: 'open-target EINPROGRESS',
      resumed: ['ok'],
      removed: 'ok',
    });
  });

  it('does not wait for the daemon of the image from which it starts a process', async () => {
    expect(await kernel('helperOfStoppedImage')).toEqual({ whileStopped: false, resumed: true });
  });

  it('fails with ENODEV for an unknown connection', async () => {
    expect(await kernel('abortNothing')).toEqual(['abort ENODEV', 'abort ENODEV']);
  });

  it('reports changes of the mount table and the end of a daemon', async () => {
    expect(await kernel('watches')).toEqual({
      cached: true,
      changed: true,
      grown: 1,
      listening: true,
      exited: true,
      exits: 1,
      late: ['absent'],
    });
  });

  it('does not take a connection for hung because many answered reads are queued', async () => {
    expect(await kernel('manyReads')).toEqual(['ok']);
  });

  it('finds containers of pods and forgets them when they end', async () => {
    expect(await kernel('containers')).toEqual({
      found: ['6f1bdc4a-1111-4222-8333-123456789abc app'],
      pid: true,
      user: 0,
      mounts: true,
      again: 1,
      after: 0,
    });
  });

  it.skipIf(cgroups === undefined)(
    `reports once what a pod poses as in any number of namespaces${cgroups === undefined ? ' (skipped: no cgroups can be made)' : ''}`,
    async () => {
      expect(await kernel('posingFlood', { input: cgroups })).toEqual({
        reasons: ["a mount resembles a termination log but is not in the kubelet's directory"],
        found: [],
      });
    },
  );

  it("takes a container's process 1 for it, even if another process visits the container", async () => {
    expect(await kernel('visitedContainer')).toEqual([true]);
  });

  it.skipIf(hasKubelet)(
    `follows the kubelet into the mount namespace that it has after its restart, and knows none meanwhile${hasKubelet ? ' (skipped: this machine has a kubelet)' : ''}`,
    async () => {
      expect(await kernel('kubeletRestarts')).toEqual({
        seen: [['first'], 'enter EINVAL', ['second']],
        isMissing: [true, false],
        hasReported: true,
      });
    },
  );

  it('works if the node has another mount namespace', async () => {
    expect(await kernel('nodeNamespace')).toEqual({
      replaced: ['ok'],
      published: 'ok',
      read: 'ok',
      isSource: true,
      shows: true,
      here: [false, 0],
      cwd: true,
    });
  });

  it('suggests a remedy if that namespace does not exist', async () => {
    expect(await kernel('missingNodeNamespace')).toEqual({ step: 'enter', remedy: true });
  });

  it('starts another prober after one was killed', async () => {
    expect(await kernel('proberDies')).toBe('ok');
  });

  it('leaves no prober behind when it is killed', async () => {
    expect(await kernel('proberOutlivesNobody')).toBe(true);
  });

  it('leaks no descriptors', async () => {
    expect(await kernel('leaksNoDescriptors')).toBe(0);
  });

  it.each(['publish', 'hung', 'watches', 'nodeNamespace'])('does the same in a user namespace: %s', async (name) => {
    const [rootless, rooted] = [await kernel(name, { rootless: true }), await kernel(name)];
    expect(rootless).toEqual(rooted);
  });
});
