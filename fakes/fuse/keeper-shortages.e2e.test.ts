import { mkdir, readdir, readlink } from 'node:fs/promises';
import { release } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { socketName } from '../../recovery/keeper/protocol.ts';
import { takeoverUnsupported } from '../../recovery/linux/fuse-descriptor.ts';
import { onJsonLine } from '../lines.ts';
import { startProgram } from '../program.ts';
import { type Store, startStore } from '../store/start-store.ts';
import { type DaemonProgram, daemonProgram } from './bundle.ts';
import { DaemonStage, type EventLine, type StagedDaemon } from './stage.ts';
import { StagedKeeper } from './staged-keeper.ts';

const lacking = process.getuid?.() === 0 ? takeoverUnsupported(release()) : 'not root';
const sockets = fileURLToPath(new URL('../../recovery/linux/unix-sockets.ts', import.meta.url));
const title = `a keeper that lacks something${lacking === undefined ? '' : `, skipped: ${lacking}`}`;

// Each starts several programs, and another test may have the processors.
describe.skipIf(lacking !== undefined)(title, { timeout: 120_000 }, () => {
  let store: Store;
  let program: DaemonProgram;
  let stage: DaemonStage;
  let keeper: StagedKeeper;
  let keeperDirectory: string;

  beforeAll(async () => {
    program = await daemonProgram();
    const signal = new AbortController().signal;
    store = await startStore({ runId: `shortages-${process.pid}`, bucket: 'bucket', signal, environment: {} });
    await store.putObject('dir/myfile', Buffer.from('hello'));
  });

  afterAll(() => store?.[Symbol.asyncDispose]());

  beforeEach(async () => {
    stage = await DaemonStage.open({ store, program });
    keeperDirectory = join(stage.directory, 'keeper');
    await mkdir(join(keeperDirectory, 'demo'), { recursive: true });
  });

  afterEach(async () => {
    await keeper.kill();
    await stage[Symbol.asyncDispose]();
  });

  const startDaemon = (): StagedDaemon => stage.start({}, [`--keeper=${join(keeperDirectory, 'demo', socketName)}`]);

  /** Starts a keeper in the stage's namespace whose directory has room for `count` files and directories. */
  async function startWithInodes(count: number, deadline?: string): Promise<void> {
    const mounted = await stage.inside(
      `mount -t tmpfs -o nr_inodes=${count},mode=755 tmpfs ${keeperDirectory} && mkdir ${keeperDirectory}/demo`,
    );
    expect(mounted).toMatchObject({ code: 0 });
    keeper = new StagedKeeper(keeperDirectory, deadline ?? '20s', stage.enterCommand());
  }

  /** Leaves no room for another file in the keeper's directory. */
  async function fillDirectory(): Promise<void> {
    // The directory, that of the volume, its socket, and the file that is there.
    expect(await stage.inside(`mount -o remount,nr_inodes=4 ${keeperDirectory}`)).toMatchObject({ code: 0 });
  }

  /** A daemon whose connection is kept is killed, and there is no room for the file that names it. */
  async function crashWithoutRoom(deadline?: string): Promise<void> {
    await startWithInodes(100, deadline);
    await keeper.line('listening');
    await fillDirectory();
    const daemon = startDaemon();
    await daemon.line('ready');
    await keeper.line('kept');
    await daemon.kill('SIGKILL');
  }

  /** Leaves a process room for `more` further descriptors; undefined: without limit. */
  async function limitDescriptors(pid: number, more: number | undefined): Promise<void> {
    const links = await Promise.all(
      (await readdir(`/proc/${pid}/fd`)).map(async (fd) => [
        fd,
        await readlink(`/proc/${pid}/fd/${fd}`).catch(() => ''),
      ]),
    );
    // Without the directory, which the keeper lists once a second.
    const used = new Set(links.filter(([, to]) => to !== '' && to !== keeperDirectory).map(([fd]) => fd));
    let limit = 0;
    for (let left = more ?? 0; left > 0 || used.has(String(limit)); limit++) if (!used.has(String(limit))) left--;
    await execa('prlimit', [`--pid=${pid}`, `--nofile=${more === undefined ? 1024 : limit}:1024`]);
  }

  /** The daemon has mounted as without a keeper. */
  async function expectMounted(daemon: StagedDaemon): Promise<void> {
    expect(await daemon.line('ready')).not.toHaveProperty('takenOver');
    expect(await stage.read('myfile')).toBe('hello');
  }

  /** The daemon continues without a keeper: its mount serves, and ends with it. */
  async function expectOrdinaryLife(daemon: StagedDaemon): Promise<void> {
    await expectMounted(daemon);
    await daemon.kill('SIGKILL');
    expect(await stage.read('myfile')).toBe('ENOTCONN');
  }

  it.each([
    ['to connect', 0, 'a daemon cannot connect, because the keeper may open no more descriptors'],
    ['to be identified', 1, 'a daemon cannot be identified, because the keeper may open no more descriptors'],
    ['for that of the daemon', 2, 'cannot be received, because the keeper may open no more descriptors'],
  ])(
    'refuses a daemon in a sentence if there is no descriptor left %s, and serves the next one',
    async (_, left, reason) => {
      keeper = new StagedKeeper(keeperDirectory, '20s');
      await keeper.line('listening');
      await limitDescriptors(keeper.pid, left);
      const daemon = startDaemon();
      expect(await daemon.line('keeper-refused')).toMatchObject({ reason: expect.stringContaining(reason) });
      await expectOrdinaryLife(daemon);
      await limitDescriptors(keeper.pid, undefined);
      await startDaemon().line('ready');
      await keeper.line('kept');
    },
  );

  it('keeps a connection although there is no descriptor left to find out which mount it has', async () => {
    keeper = new StagedKeeper(keeperDirectory, '20s');
    await keeper.line('listening');
    await limitDescriptors(keeper.pid, 3);
    const daemon = startDaemon();
    await daemon.line('ready');
    await keeper.line('kept');
    await limitDescriptors(keeper.pid, undefined);
    await daemon.kill('SIGKILL');
    expect(await startDaemon().line('ready')).toMatchObject({ takenOver: true });
  });

  it('is found by daemons once there is room for its socket, and says what is missing until then', async () => {
    await startWithInodes(2);
    const { reason } = await keeper.line('refused', 2);
    expect(reason).toMatch(/^daemons of .*demo run without a keeper, because there is no room left/);
    const first = startDaemon();
    await expectOrdinaryLife(first);
    await stage.inside(`mount -o remount,nr_inodes=100 ${keeperDirectory}`);
    await keeper.line('listening');
    await startDaemon().line('ready');
    await keeper.line('kept');
  });

  it('takes connections over although there is no room for the file that names them, and says so once', async () => {
    await crashWithoutRoom();
    expect(await startDaemon().line('ready')).toMatchObject({ takenOver: true });
    await keeper.line('served');
    const refusals = keeper.lines.filter(({ event }) => event === 'refused');
    expect(refusals).toMatchObject([
      {
        reason: expect.stringMatching(
          /for hung until their deadline, because there is no room left \(write .*kept.json/,
        ),
      },
    ]);
  });

  it('lets ordinary recovery follow at the deadline, although there is no room for the file', async () => {
    await crashWithoutRoom('500ms');
    await keeper.line('given-up');
    expect(await stage.read('myfile')).toBe('ENOTCONN');
    await expectMounted(startDaemon());
  });

  it('serves other volumes if one has a directory in the place of its socket', async () => {
    await mkdir(join(keeperDirectory, 'bad', socketName), { recursive: true });
    keeper = new StagedKeeper(keeperDirectory, '20s');
    await keeper.line('listening');
    expect(await keeper.line('refused')).toMatchObject({ reason: expect.stringContaining('bad run without a keeper') });
    await startDaemon().line('ready');
    await keeper.line('kept');
  });

  it('notices volumes although it cannot watch its directory', async () => {
    const none = 'echo 0 > /proc/sys/user/max_inotify_instances && exec "$@"';
    const enter = ['unshare', '--user', '--map-root-user', 'sh', '-c', none, 'sh'];
    keeper = new StagedKeeper(keeperDirectory, '20s', enter);
    expect(await keeper.line('refused')).toMatchObject({ reason: expect.stringContaining('only once a second') });
    await mkdir(join(keeperDirectory, 'later'));
    expect(await keeper.line('listening', 2)).toMatchObject({ volume: 'later' });
  });

  /** A program that connects and speaks the keeper's protocol. Prints one JSON object for each line that it wants to be seen. */
  function startClient(script: string): { readonly line: Promise<EventLine>; readonly end: () => void } {
    const path = join(keeperDirectory, 'demo', socketName);
    const source = `
      import { openSync } from 'node:fs';
      import { connectUnix, receiveDescriptors, sendDescriptors } from '${sockets}';
      const connect = () => connectUnix('${path}', 5000).value;
      const hear = (socket) => receiveDescriptors(socket).value;
      ${script}`;
    const child = startProgram([process.execPath, '--input-type=module', '-e', source], { env: {}, cwd: '/' });
    const { promise, resolve } = Promise.withResolvers<EventLine>();
    onJsonLine(child.stdout, resolve);
    child.stderr.pipe(process.stderr);
    return { line: promise, end: () => void child.kill('SIGKILL') };
  }

  it('refuses a process that connects over and over', async () => {
    keeper = new StagedKeeper(keeperDirectory, '20s');
    await keeper.line('listening');
    const client = startClient(`
      const first = connect();
      hear(first);
      sendDescriptors(first, { bytes: Buffer.from('{}'), descriptors: [openSync('/dev/fuse', 'r+')] });
      for (;;) {
        const text = hear(connect()).bytes.toString();
        if (text.startsWith('REFUSED')) { console.log(JSON.stringify({ text })); break; }
      }
      setInterval(() => {}, 1e9);`);
    expect(await client.line).toMatchObject({ text: expect.stringContaining('has 16 connections already') });
    client.end();
    await startDaemon().line('ready');
    await keeper.line('kept');
  });

  it('names a process that has been handed the connection and does not serve it, and lets ordinary recovery follow', async () => {
    keeper = new StagedKeeper(keeperDirectory, '2s');
    await keeper.line('listening');
    const first = startDaemon();
    await first.line('ready');
    await keeper.line('kept');
    const client = startClient(`
      const socket = connect();
      console.log(JSON.stringify({ text: hear(socket).bytes.toString() }));
      hear(socket);
      setInterval(() => {}, 1e9);`);
    expect(await client.line).toEqual({ text: 'WAIT' });
    await first.kill('SIGKILL');
    expect(await keeper.line('given-up')).toMatchObject({ reason: expect.stringContaining('does not serve it') });
    client.end();
    await expectMounted(startDaemon());
  });
});
