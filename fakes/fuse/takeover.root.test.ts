import { existsSync } from 'node:fs';
import { chmod, mkdir, rename, writeFile } from 'node:fs/promises';
import { release } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readKeptFile } from '../../recovery/keeper/kept-file.ts';
import { socketName } from '../../recovery/keeper/protocol.ts';
import { takeoverUnsupported } from '../../recovery/linux/fuse-descriptor.ts';
import { type Store, startStore } from '../store/start-store.ts';
import { type DaemonProgram, daemonProgram } from './bundle.ts';
import { DaemonStage, type StagedDaemon } from './stage.ts';
import { StagedKeeper } from './staged-keeper.ts';

const lacking = process.getuid?.() === 0 ? takeoverUnsupported(release()) : 'not root';
const big = Buffer.from(Array.from({ length: 300_007 }, (_, i) => (i * 7) % 251));
/** Reads through a descriptor that it opens once, and by a relative path, and counts. */
const readerScript = `
  const fs = require('fs');
  const [opened, stop] = process.argv.slice(1);
  const kept = fs.openSync('big', 'r');
  const expected = fs.readFileSync('big');
  const buffer = Buffer.alloc(expected.length);
  const result = { reads: 0, wrong: 0, errors: [] };
  const check = (read) => {
    try { result.reads++; if (!read().equals(expected)) result.wrong++; } catch (error) { result.errors.push(error.code); }
  };
  fs.writeFileSync(opened, '');
  while (!fs.existsSync(stop)) {
    check(() => fs.readFileSync('big'));
    check(() => buffer.subarray(0, fs.readSync(kept, buffer, 0, buffer.length, 0)));
  }
  console.log(JSON.stringify(result));
`;

describe.skipIf(lacking !== undefined)(`takeover${lacking === undefined ? '' : `, skipped: ${lacking}`}`, () => {
  let store: Store;
  let program: DaemonProgram;
  let stage: DaemonStage;
  let keeper: StagedKeeper;
  let keeperDirectory: string;

  beforeAll(async () => {
    program = await daemonProgram();
    store = await startStore({
      runId: `takeover-${process.pid}`,
      bucket: 'bucket',
      signal: new AbortController().signal,
      environment: {},
    });
    await store.putObject('dir/myfile', Buffer.from('hello'));
    await store.putObject('dir/sub/big', big);
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

  async function startKeeper(deadline: string): Promise<void> {
    keeper = new StagedKeeper(keeperDirectory, deadline);
    await keeper.line('listening');
  }

  function startDaemon(behaviour = {}): StagedDaemon {
    return stage.start(behaviour, [`--keeper=${join(keeperDirectory, 'demo', socketName)}`]);
  }

  /** A program in the namespace that reads through a descriptor and relative to its working directory until it is stopped. */
  async function startReader() {
    const [opened, stop] = ['opened', 'stop'].map((name) => join(stage.directory, name)) as [string, string];
    const finished = stage.inside(`cd "$M/sub" && exec "$NODE" -e "${readerScript}" ${opened} ${stop}`);
    while (!existsSync(opened)) await delay(5);
    return {
      async stop(): Promise<{ readonly reads: number; readonly wrong: number; readonly errors: readonly string[] }> {
        await writeFile(stop, '');
        const { stdout, stderr } = await finished;
        if (stderr !== '') throw new Error(stderr);
        return JSON.parse(stdout);
      },
    };
  }

  it('continues on the connection of a killed daemon, and no read fails', async () => {
    await startKeeper('20s');
    const first = startDaemon();
    await first.line('ready');
    await keeper.line('kept');
    const reader = await startReader();
    for (let kill = 1, daemon = first; kill <= 3; kill++) {
      await daemon.kill('SIGKILL');
      daemon = startDaemon();
      expect(await daemon.line('ready')).toMatchObject({ takenOver: true });
      await keeper.line('served', kill);
    }
    const { reads, wrong, errors } = await reader.stop();
    expect({ wrong, errors }).toEqual({ wrong: 0, errors: [] });
    expect(reads).toBeGreaterThan(0);
  });

  it('answers a request that the killed daemon had read, once', async () => {
    await startKeeper('20s');
    const first = startDaemon({ hang: ['read'] });
    await first.line('ready');
    await keeper.line('kept');
    const read = stage.read('myfile');
    await first.line('hung');
    await first.kill('SIGKILL');
    const second = startDaemon();
    expect(await read).toBe('hello');
    await second.line('resent');
    expect(second.lines.filter(({ event }) => event === 'answer-refused')).toEqual([]);
  });

  it('hands the connection to a successor that waits', async () => {
    await startKeeper('20s');
    const first = startDaemon();
    await first.line('ready');
    await keeper.line('kept');
    const successor = startDaemon();
    await successor.line('waiting');
    const reader = await startReader();
    await first.kill('SIGKILL');
    expect(await successor.line('ready')).toMatchObject({ takenOver: true });
    await keeper.line('served');
    expect(await reader.stop()).toMatchObject({ wrong: 0, errors: [] });
  });

  it('refuses a second successor in a sentence', async () => {
    await startKeeper('20s');
    await startDaemon().line('ready');
    await keeper.line('kept');
    const successor = startDaemon();
    await successor.line('waiting');
    expect(await startDaemon().line('keeper-refused')).toMatchObject({
      reason: expect.stringContaining(`process ${successor.process.pid} waits already as the successor`),
    });
  });

  it('ends the connection if no daemon has taken it over at the deadline, and names it to the agent until then', async () => {
    // Long enough for the file to be read before it, however busy the machine is.
    await startKeeper('8s');
    const first = startDaemon();
    await first.line('ready');
    const { device } = await keeper.line('kept');
    const read = first.kill('SIGKILL').then(() => stage.read('myfile'));
    await keeper.line('orphaned');
    expect(readKeptFile(keeperDirectory)).toMatchObject([{ device }]);
    await keeper.line('given-up');
    expect(['ENOTCONN', 'ECONNABORTED']).toContain(await read);
    expect(readKeptFile(keeperDirectory)).toEqual([]);
    expect(await startDaemon().line('ready')).not.toHaveProperty('takenOver');
  }, 120_000);

  it('is given the descriptor again after its own restart', async () => {
    await startKeeper('20s');
    const first = startDaemon();
    await first.line('ready');
    await keeper.line('kept');
    const reader = await startReader();
    await keeper.kill();
    await startKeeper('20s');
    await keeper.line('kept');
    await first.kill('SIGKILL');
    expect(await startDaemon().line('ready')).toMatchObject({ takenOver: true });
    expect(await reader.stop()).toMatchObject({ wrong: 0, errors: [] });
  });

  it('leaves the connection to end as without a keeper if it is killed together with the daemon', async () => {
    await startKeeper('20s');
    const first = startDaemon();
    await first.line('ready');
    await keeper.line('kept');
    await Promise.all([keeper.kill(), first.kill('SIGKILL')]);
    expect(await stage.read('myfile')).toBe('ENOTCONN');
    await startDaemon().line('ready');
    expect(await stage.read('myfile')).toBe('hello');
    await startKeeper('20s');
    await keeper.line('kept');
  });

  it('keeps nothing of a connection that its daemon has unmounted', async () => {
    await startKeeper('20s');
    const first = startDaemon();
    await first.line('ready');
    await keeper.line('kept');
    expect(await first.kill('SIGTERM')).toMatchObject({ exitCode: 0 });
    await keeper.line('connection-ended');
    await startDaemon().line('ready');
    expect(await stage.read('myfile')).toBe('hello');
  });

  it('lets a daemon that waits end by SIGTERM, and the next one wait', async () => {
    await startKeeper('20s');
    await startDaemon().line('ready');
    await keeper.line('kept');
    const successor = startDaemon();
    await successor.line('waiting');
    expect(await successor.kill('SIGTERM')).toEqual({ exitCode: 143, signal: null });
    await startDaemon().line('waiting');
  });

  it('refuses a process of another user and a descriptor of another file', async () => {
    await startKeeper('20s');
    const path = join(keeperDirectory, 'demo', socketName);
    // So that it is not the mode that refuses the other user.
    await chmod(path, 0o666);
    for (const folder of [keeperDirectory, dirname(path)]) await chmod(folder, 0o755);
    const client = fileURLToPath(new URL('../../recovery/linux/unix-sockets.ts', import.meta.url));
    const script = `
      import { connectUnix, receiveDescriptors, sendDescriptors } from '${client}';
      // The other user may not be able to read the checkout.
      process.setuid(Number(process.argv[1]));
      const socket = connectUnix('${path}', 5000).value;
      const greeting = () => receiveDescriptors(socket).value.bytes.toString();
      const first = greeting();
      if (first.startsWith('REFUSED')) console.log(first);
      else {
        sendDescriptors(socket, { bytes: Buffer.from('x'), descriptors: [0] });
        console.log(greeting());
      }`;
    const send = (uid: number) =>
      execa(process.execPath, ['--input-type=module', '-e', script, `${uid}`], { extendEnv: false });
    expect((await send(1000)).stdout).toContain('only root may hand over a connection');
    expect((await send(0)).stdout).toContain('sent no descriptor of /dev/fuse');
  });

  it('refuses a directory that others than root may write', async () => {
    await startKeeper('20s');
    const made = join(stage.directory, 'open');
    await mkdir(made);
    await chmod(made, 0o777);
    await rename(made, join(keeperDirectory, 'open'));
    const { reason } = await keeper.line('refused');
    expect(reason).toContain('may be written by others than root');
  });
});
