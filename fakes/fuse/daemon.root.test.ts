import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { accessSync, constants } from 'node:fs';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { onJsonLine } from '../store/json-lines.ts';
import { startStore } from '../store/start-store.ts';
import type { Store } from '../store/store.ts';
import type { Behaviour } from './behaviour.ts';
import { type DaemonProgram, daemonProgram } from './bundle.ts';

type Line = Readonly<Record<string, unknown>>;

interface Daemon {
  readonly process: ChildProcess;
  readonly lines: readonly Line[];
  readonly ended: Promise<unknown[]>;
  /** Resolves with the first line of an event, seen already or to come. */
  line(event: string): Promise<Line>;
}

interface Outcome {
  readonly code: number | string | null;
  readonly stdout: string;
  readonly stderr: string;
}

function missing(): string | undefined {
  if (process.getuid?.() !== 0) return 'not root';
  try {
    accessSync('/dev/fuse', constants.R_OK | constants.W_OK);
    return undefined;
  } catch {
    return '/dev/fuse cannot be opened';
  }
}

const lacking = missing();
const big = Buffer.from(Array.from({ length: 300_007 }, (_, i) => (i * 7) % 251));
const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

describe.skipIf(lacking !== undefined)(`the FUSE daemon${lacking === undefined ? '' : `, skipped: ${lacking}`}`, () => {
  let store: Store;
  let program: DaemonProgram;
  let directory: string;
  let credentials: string;
  let mountpoint: string;
  let holder: ChildProcess;
  let daemons: Daemon[];

  beforeAll(async () => {
    program = await daemonProgram();
    store = await startStore({
      runId: `fuse-${process.pid}`,
      bucket: 'bucket',
      signal: new AbortController().signal,
      onProgress: () => undefined,
      environment: {},
      prefer: 'embedded',
    });
    await store.putObject('dir/myfile', Buffer.from('hello'));
    await store.putObject('dir/sub/big', big);
    await store.putObject('elsewhere', Buffer.from('not to be seen'));
  });

  afterAll(() => store?.[Symbol.asyncDispose]());

  // Each test has a mount namespace of its own, held by a shell; what is mounted goes with it.
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'rekindle-fuse-'));
    credentials = join(directory, 'secrets');
    mountpoint = join(directory, 'jfs/jindofs-fuse');
    await mkdir(credentials);
    await writeFile(join(credentials, 'accessKeyId'), store.accessKeyId);
    await writeFile(join(credentials, 'accessKeySecret'), `${store.accessKeySecret}\n`);
    await chmod(directory, 0o755);
    daemons = [];
    holder = spawn('unshare', ['--mount', '--propagation', 'private', 'sh', '-c', 'echo held; read -r _']);
    await once(holder.stdout ?? holder, 'data');
  });

  afterEach(async () => {
    for (const { process: daemon, ended } of daemons) {
      daemon.kill('SIGKILL');
      await ended;
    }
    const ended = once(holder, 'exit');
    holder.stdin?.end();
    await ended;
    await rm(directory, { recursive: true });
  });

  const entering = (): string[] => ['--mount', `--target=${holder.pid}`];

  function start(behaviour?: Behaviour, more: readonly string[] = []): Daemon {
    const flags = [
      `--mountpoint=${mountpoint}`,
      `--endpoint=${store.endpoint}`,
      `--bucket=${store.bucket}`,
      '--prefix=dir/',
      `--credentials=${credentials}`,
      ...(behaviour === undefined ? [] : [`--behaviour=${JSON.stringify(behaviour)}`]),
    ];
    // No PATH: nothing that it needs is another program.
    const child = spawn('/usr/bin/nsenter', [...entering(), ...program.command, ...flags, ...more], { env: {} });
    const lines: Line[] = [];
    const waiting: (() => void)[] = [];
    onJsonLine(child.stdout, (line) => {
      lines.push(line);
      for (const wake of waiting.splice(0)) wake();
    });
    const daemon = {
      process: child,
      lines,
      ended: once(child, 'close'),
      line: async (event: string): Promise<Line> => {
        for (;;) {
          const found = lines.find((line) => line.event === event);
          if (found !== undefined) return found;
          await new Promise<void>((resolve) => waiting.push(resolve));
        }
      },
    };
    daemons.push(daemon);
    return daemon;
  }

  /** Runs a shell command in the mount namespace, in a child, because the mount may be dead. */
  function inside(command: string): Promise<Outcome> {
    return new Promise((resolve) => {
      const options = { env: { PATH: '/usr/bin:/bin', LC_ALL: 'C', M: mountpoint }, timeout: 20_000 };
      execFile('nsenter', [...entering(), 'sh', '-c', command], options, (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : (error.code ?? null), stdout, stderr });
      });
    });
  }

  /**
   * Opens and reads a file with Node and gives the contents, or the errno's name. Not by `readFileSync(path, 'utf8')`: that
   * ends the whole process when close(2) fails, as it does on a mount that died meanwhile.
   */
  async function read(name: string): Promise<string> {
    const script = `try{console.log(String(require('fs').readFileSync(process.argv[1])))}catch(e){console.log(e.code)}`;
    const { stdout } = await inside(`exec ${process.execPath} -e "${script}" "$M/${name}"`);
    return stdout.trim();
  }

  it('shows the bucket below its prefix, with the modes of the document', async () => {
    await start().line('ready');
    const { stdout } = await inside('stat -c "%A %U %G %s %n" "$M" "$M/myfile" "$M/sub"; ls "$M" "$M/sub"');
    expect(stdout.replaceAll(mountpoint, '')).toBe(
      'drwxrwxr-x root root 4096 \n-rwxrwxr-x root root 5 /myfile\ndrwxrwxr-x root root 4096 /sub\n:\nmyfile\nsub\n\n/sub:\nbig\n',
    );
    expect(await read('absent')).toBe('ENOENT');
  });

  it('reads whole files and pieces of them', async () => {
    await start().line('ready');
    expect(await read('myfile')).toBe('hello');
    expect((await inside('sha256sum < "$M/sub/big"')).stdout.split(' ')[0]).toBe(sha256(big));
    const piece = await inside('dd if="$M/sub/big" bs=1000 skip=131 count=2 status=none | sha256sum');
    expect(piece.stdout.split(' ')[0]).toBe(sha256(big.subarray(131_000, 133_000)));
  });

  it('has the type and source of the client that it stands in for', async () => {
    await start().line('ready');
    const { stdout } = await inside('grep " $M " /proc/self/mountinfo');
    expect(stdout).toMatch(/ - fuse\.jindofs-fuse jindofs-fuse rw,.*allow_other/);
  });

  it('accepts every kind of write, shows it, and reports each', async () => {
    const daemon = start();
    await daemon.line('ready');
    const { code, stdout, stderr } = await inside(
      'cd "$M" && echo new > made && echo more >> myfile && cat made myfile && mv made moved && mkdir -p d/e && mv d g && ' +
        'truncate -s 2 myfile && cat myfile && chmod 600 myfile && rmdir g/e && rm -r sub && ls',
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toBe('new\nhellomore\nheg\nmoved\nmyfile\n');
    const changes = daemon.lines.filter(({ event }) => event === 'write').map(({ op, path }) => `${op} ${path}`);
    expect(changes).toEqual([
      'create /made',
      'write /made',
      'write /myfile',
      'rename /made',
      'mkdir /d',
      'mkdir /d/e',
      'rename /d',
      'truncate /myfile',
      'chmod /myfile',
      'rmdir /g/e',
      'unlink /sub/big',
      'rmdir /sub',
    ]);
  });

  it('leaves a dead mount when killed, and its next start at the same place serves again', async () => {
    const first = start();
    await first.line('ready');
    first.process.kill('SIGKILL');
    await first.ended;
    expect(await read('myfile')).toBe('ENOTCONN');
    await start().line('ready');
    expect(await read('myfile')).toBe('hello');
    expect((await inside('grep -c " $M " /proc/self/mountinfo')).stdout).toBe('1\n');
  });

  it('unmounts on SIGTERM and ends with 0, without fusermount', async () => {
    const daemon = start();
    await daemon.line('ready');
    daemon.process.kill('SIGTERM');
    expect(await daemon.ended).toEqual([0, null]);
    expect(daemon.lines.at(-1)).toMatchObject({ event: 'exiting', reason: 'SIGTERM', unmounted: true });
    expect((await inside('grep -c " $M " /proc/self/mountinfo')).stdout).toBe('0\n');
  });

  it('leaves a dead mount on SIGTERM where told to', async () => {
    const daemon = start({ onTerm: 'exit' });
    await daemon.line('ready');
    daemon.process.kill('SIGTERM');
    expect(await daemon.ended).toEqual([143, null]);
    expect(await read('myfile')).toBe('ENOTCONN');
  });

  it('ends when its last mount is gone', async () => {
    const daemon = start();
    await daemon.line('ready');
    await inside('umount "$M"');
    expect(await daemon.ended).toEqual([0, null]);
    expect(daemon.lines.at(-1)).toMatchObject({ event: 'exiting', reason: 'the FUSE session ended' });
  });

  it('ends when its connection is aborted', async () => {
    const daemon = start();
    await daemon.line('ready');
    await inside(
      'mount -t fusectl none /sys/fs/fuse/connections; echo 1 > /sys/fs/fuse/connections/$(stat -c %d "$M")/abort',
    );
    expect(await daemon.ended).toEqual([0, null]);
    expect(await read('myfile')).toBe('ENOTCONN');
  });

  it('does not take the place of a living daemon', async () => {
    await start().line('ready');
    const second = start();
    let complaint = '';
    second.process.stderr?.on('data', (chunk) => {
      complaint += chunk;
    });
    expect(await second.ended).toEqual([1, null]);
    expect(complaint).toBe(`a living FUSE filesystem is mounted at ${mountpoint}\n`);
    expect(await read('myfile')).toBe('hello');
  });

  it('answers EACCES where the store refuses its credentials, and says so once', async () => {
    await writeFile(join(credentials, 'accessKeySecret'), 'wrong');
    const daemon = start();
    await daemon.line('ready');
    expect(await read('myfile')).toBe('EACCES');
    expect(await read('myfile')).toBe('EACCES');
    const told = daemon.lines.filter(({ event }) => event === 'store');
    expect(told).toMatchObject([{ state: 'failed', errno: 'EACCES', code: 'SignatureDoesNotMatch' }]);
    expect(JSON.stringify(daemon.lines)).not.toContain('wrong');
  });

  it('answers EIO while the store is down, and serves again when it is back', async () => {
    const daemon = start();
    await daemon.line('ready');
    const down = await store.injectFault?.({ kind: 'down' });
    expect(await read('sub/big')).toBe('EIO');
    await down?.[Symbol.asyncDispose]();
    expect((await inside('sha256sum < "$M/sub/big"')).stdout.split(' ')[0]).toBe(sha256(big));
    const told = daemon.lines.filter(({ event }) => event === 'store').map(({ state }) => state);
    expect(told).toEqual(['failed', 'ok']);
  });

  it('fails, changes bytes and hides all as told', async () => {
    const failing = start({ errno: { read: 'EIO' } });
    await failing.line('ready');
    expect(await read('myfile')).toBe('EIO');
    failing.process.kill('SIGKILL');
    await failing.ended;
    const wrong = start({ wrongBytes: true });
    await wrong.line('ready');
    const { stdout } = await inside('od -An -tx1 "$M/myfile"');
    expect(stdout.trim()).toBe([...Buffer.from('hello')].map((byte) => (byte ^ 0xff).toString(16)).join(' '));
    wrong.process.kill('SIGKILL');
    await wrong.ended;
    await start({ empty: true }).line('ready');
    expect((await inside('ls -A "$M"')).stdout).toBe('');
  });

  it('never answers what it is told to hang on, and goes on with the rest', async () => {
    const daemon = start({ hang: ['read'] });
    await daemon.line('ready');
    const hanging = read('myfile');
    await daemon.line('hung');
    expect((await inside('stat -c %s "$M/myfile"')).stdout).toBe('5\n');
    daemon.process.kill('SIGKILL');
    await daemon.ended;
    expect(['ECONNABORTED', 'ENOTCONN']).toContain(await hanging);
  });

  it('ends after so many operations, and leaves a dead mount', async () => {
    const daemon = start({ exitAfterOps: 0 });
    await daemon.line('ready');
    expect(['ECONNABORTED', 'ENOTCONN']).toContain(await read('myfile'));
    expect(await daemon.ended).toEqual([1, null]);
  });

  it('is not ready before it answers INIT, and callers wait for it', async () => {
    const daemon = start({ readyAfterMs: 300 });
    const started = await daemon.line('started');
    const ready = await daemon.line('ready');
    expect(Number(BigInt(String(ready.ns)) - BigInt(String(started.ns)))).toBeGreaterThanOrEqual(300e6);
    expect(await read('myfile')).toBe('hello');
  });

  it('shows its credentials nowhere', async () => {
    const daemon = start();
    await daemon.line('ready');
    const { stdout } = await inside(`cat /proc/${daemon.process.pid}/cmdline /proc/${daemon.process.pid}/environ`);
    expect(stdout).toContain('--bucket=bucket');
    expect(stdout + JSON.stringify(daemon.lines)).not.toContain(store.accessKeySecret);
  });

  it.each([
    ['--mountpoint', ['--mountpoint=relative'], '--mountpoint=relative is not an absolute path'],
    ['an unknown flag', ['--colour=red'], 'unknown flag --colour: accepted are'],
    [
      'an unknown key',
      ['--behaviour={"hangs":[]}'],
      '--behaviour: Unrecognized key: "hangs" (its keys are onTerm, delayMs',
    ],
    ['missing credentials', ['--credentials=/nonexistent'], '/nonexistent/accessKeyId cannot be read (ENOENT)'],
  ])('refuses a wrong command line (%s) in one sentence, with status 2', async (_what, more, sentence) => {
    const daemon = start(undefined, more);
    let complaint = '';
    daemon.process.stderr?.on('data', (chunk) => {
      complaint += chunk;
    });
    expect(await daemon.ended).toEqual([2, null]);
    expect(complaint).toContain(sentence);
    expect(complaint.trimEnd().split('\n')).toHaveLength(1);
  });
});
