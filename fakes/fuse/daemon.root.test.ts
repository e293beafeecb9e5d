import { createHash } from 'node:crypto';
import { accessSync, constants } from 'node:fs';
import { execaSync } from 'execa';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startFaultyProxy } from '../store/faulty-proxy.ts';
import { type Store, startStore } from '../store/start-store.ts';
import { type DaemonProgram, daemonProgram } from './bundle.ts';
import { DaemonStage } from './stage.ts';

function missing(): string | undefined {
  if (process.getuid?.() !== 0) return 'not root';
  try {
    accessSync('/dev/fuse', constants.R_OK | constants.W_OK);
    return undefined;
  } catch {
    return '/dev/fuse cannot be opened';
  }
}

/** Other users cannot enter a checkout below a directory such as root's home, or one that was made with umask 077. */
function missingForOtherUsers({ command }: DaemonProgram): string | undefined {
  const user = ['--reuid=1000', '--regid=1000', '--clear-groups'];
  const unreadable = command.find(
    (file) => file.startsWith('/') && execaSync('setpriv', [...user, 'test', '-r', file], { reject: false }).failed,
  );
  return unreadable && `user 1000 cannot read ${unreadable}`;
}

const lacking = missing();
const program = await daemonProgram();
const lackingForOtherUsers = lacking === undefined ? missingForOtherUsers(program) : undefined;
const big = Buffer.from(Array.from({ length: 300_007 }, (_, i) => (i * 7) % 251));
const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

describe.skipIf(lacking !== undefined)(`the FUSE daemon${lacking === undefined ? '' : `, skipped: ${lacking}`}`, () => {
  let store: Store;
  let stage: DaemonStage;

  beforeAll(async () => {
    store = await startStore({
      runId: `fuse-${process.pid}`,
      bucket: 'bucket',
      signal: new AbortController().signal,
      environment: {},
    });
    await store.putObject('dir/myfile', Buffer.from('hello'));
    await store.putObject('dir/sub/big', big);
    await store.putObject('elsewhere', Buffer.from('not to be seen'));
  });

  afterAll(() => store?.[Symbol.asyncDispose]());

  beforeEach(async () => {
    stage = await DaemonStage.open({ store, program });
  });

  afterEach(() => stage[Symbol.asyncDispose]());

  it("shows the bucket's prefix with the document's modes", async () => {
    await stage.start().line('ready');
    const { stdout } = await stage.inside('stat -c "%A %U %G %s %n" "$M" "$M/myfile" "$M/sub"; ls "$M" "$M/sub"');
    expect(stdout.replaceAll(stage.mountpoint, '')).toBe(
      'drwxrwxr-x root root 4096 \n-rwxrwxr-x root root 5 /myfile\ndrwxrwxr-x root root 4096 /sub\n:\nmyfile\nsub\n\n/sub:\nbig\n',
    );
    expect(await stage.read('absent')).toBe('ENOENT');
  });

  it('reads whole files and parts of them', async () => {
    await stage.start().line('ready');
    expect(await stage.read('myfile')).toBe('hello');
    expect((await stage.inside('sha256sum < "$M/sub/big"')).stdout.split(' ')[0]).toBe(sha256(big));
    const piece = await stage.inside('dd if="$M/sub/big" bs=1000 skip=131 count=2 status=none | sha256sum');
    expect(piece.stdout.split(' ')[0]).toBe(sha256(big.subarray(131_000, 133_000)));
  });

  it('serves the same files with the raw server if its mounts must be idmappable', async () => {
    const daemon = stage.start({ idmap: true });
    await daemon.line('ready');
    expect(await stage.read('myfile')).toBe('hello');
    expect((await stage.inside('sha256sum < "$M/sub/big"')).stdout.split(' ')[0]).toBe(sha256(big));
    expect((await stage.inside('cd "$M" && ls -d * sub/*; cat none')).stdout).toBe('myfile\nsub\nsub/big\n');
    expect((await stage.inside('echo new > "$M/made"')).code).not.toBe(0);
    await stage.inside('umount "$M"');
    expect(await daemon.ended).toEqual({ exitCode: 0, signal: null });
  });

  it('has the file system type and source of the client that it stands in for', async () => {
    await stage.start().line('ready');
    const { stdout } = await stage.inside('grep " $M " /proc/self/mountinfo');
    expect(stdout).toMatch(/ - fuse\.jindofs-fuse jindofs-fuse rw,.*allow_other/);
  });

  it('accepts every kind of write, shows it, and reports each', async () => {
    const daemon = stage.start();
    await daemon.line('ready');
    const { code, stdout, stderr } = await stage.inside(
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

  it('leaves a dead mount when killed, and serves again after a restart', async () => {
    const first = stage.start();
    await first.line('ready');
    await first.kill('SIGKILL');
    expect(await stage.read('myfile')).toBe('ENOTCONN');
    await stage.start().line('ready');
    expect(await stage.read('myfile')).toBe('hello');
    expect((await stage.inside('grep -c " $M " /proc/self/mountinfo')).stdout).toBe('1\n');
  });

  it('unmounts on SIGTERM without fusermount and exits with 0', async () => {
    const daemon = stage.start();
    await daemon.line('ready');
    expect(await daemon.kill('SIGTERM')).toEqual({ exitCode: 0, signal: null });
    expect(daemon.lines.at(-1)).toMatchObject({ event: 'exiting', reason: 'SIGTERM', unmounted: true });
    expect((await stage.inside('grep -c " $M " /proc/self/mountinfo')).stdout).toBe('0\n');
  });

  it('leaves a dead mount on SIGTERM if configured to', async () => {
    const daemon = stage.start({ onTerm: 'exit' });
    await daemon.line('ready');
    expect(await daemon.kill('SIGTERM')).toEqual({ exitCode: 143, signal: null });
    expect(await stage.read('myfile')).toBe('ENOTCONN');
  });

  it('ends when its last mount is gone', async () => {
    const daemon = stage.start();
    await daemon.line('ready');
    await stage.inside('umount "$M"');
    expect(await daemon.ended).toEqual({ exitCode: 0, signal: null });
    expect(daemon.lines.at(-1)).toMatchObject({ event: 'exiting', reason: 'the FUSE session ended' });
  });

  it('ends when its connection is aborted', async () => {
    const daemon = stage.start();
    await daemon.line('ready');
    const aborted = await stage.inside(
      'mount -t fusectl none /sys/fs/fuse/connections && ' +
        `minor=$(awk -v M="$M" '$5 == M { sub("0:", "", $3); print $3 }' /proc/self/mountinfo) && ` +
        'echo 1 > /sys/fs/fuse/connections/$minor/abort',
    );
    expect(aborted).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(await daemon.ended).toEqual({ exitCode: 0, signal: null });
    expect(await stage.read('myfile')).toBe('ENOTCONN');
  });

  it('does not replace a living daemon', async () => {
    await stage.start().line('ready');
    const second = stage.start();
    expect(await second.ended).toEqual({ exitCode: 1, signal: null });
    expect(second.errorOutput()).toBe(`a living FUSE filesystem is mounted at ${stage.mountpoint}\n`);
    expect(await stage.read('myfile')).toBe('hello');
  });

  it('answers EACCES if the store refuses its credentials, and reports it once', async () => {
    await stage.writeCredentials('wrong');
    const daemon = stage.start();
    await daemon.line('ready');
    expect(await stage.read('myfile')).toBe('EACCES');
    expect(await stage.read('myfile')).toBe('EACCES');
    const reported = daemon.lines.filter(({ event }) => event === 'store');
    expect(reported).toMatchObject([{ state: 'failed', errno: 'EACCES', code: 'SignatureDoesNotMatch' }]);
    expect(JSON.stringify(daemon.lines)).not.toContain('wrong');
  });

  it('answers EIO while the store is down, and serves again when it is back', async () => {
    await using proxy = await startFaultyProxy(store.endpoint);
    const daemon = stage.start(undefined, [`--endpoint=${proxy.endpoint}`]);
    await daemon.line('ready');
    const down = proxy.inject({ kind: 'down' });
    expect(await stage.read('sub/big')).toBe('EIO');
    down[Symbol.dispose]();
    expect((await stage.inside('sha256sum < "$M/sub/big"')).stdout.split(' ')[0]).toBe(sha256(big));
    const reported = daemon.lines.filter(({ event }) => event === 'store').map(({ state }) => state);
    expect(reported).toEqual(['failed', 'ok']);
  });

  it('fails, corrupts and hides files as configured', async () => {
    const failing = stage.start({ errno: { read: 'EIO' } });
    await failing.line('ready');
    expect(await stage.read('myfile')).toBe('EIO');
    await failing.kill('SIGKILL');
    const wrong = stage.start({ wrongBytes: true });
    await wrong.line('ready');
    const { stdout } = await stage.inside('od -An -tx1 "$M/myfile"');
    expect(stdout.trim()).toBe([...Buffer.from('hello')].map((byte) => (byte ^ 0xff).toString(16)).join(' '));
    await wrong.kill('SIGKILL');
    await stage.start({ empty: true }).line('ready');
    expect((await stage.inside('ls -A "$M"')).stdout).toBe('');
  });

  it('never answers operations configured to hang, and serves the others', async () => {
    const daemon = stage.start({ hang: ['read'] });
    await daemon.line('ready');
    const hanging = stage.read('myfile');
    await daemon.line('hung');
    expect((await stage.inside('stat -c %s "$M/myfile"')).stdout).toBe('5\n');
    await daemon.kill('SIGKILL');
    expect(['ECONNABORTED', 'ENOTCONN']).toContain(await hanging);
  });

  it('exits after the configured number of operations, and leaves a dead mount', async () => {
    const daemon = stage.start({ exitAfterOps: 0 });
    await daemon.line('ready');
    expect(['ECONNABORTED', 'ENOTCONN']).toContain(await stage.read('myfile'));
    expect(await daemon.ended).toEqual({ exitCode: 1, signal: null });
  });

  it('is not ready before it answers INIT, for which callers wait', async () => {
    const daemon = stage.start({ readyAfterMs: 300 });
    const started = await daemon.line('started');
    const ready = await daemon.line('ready');
    expect(Number(BigInt(String(ready.ns)) - BigInt(String(started.ns)))).toBeGreaterThanOrEqual(300e6);
    expect(await stage.read('myfile')).toBe('hello');
  });

  it('exposes its credentials nowhere', async () => {
    const daemon = stage.start();
    await daemon.line('ready');
    const { stdout } = await stage.inside(
      `cat /proc/${daemon.process.pid}/cmdline /proc/${daemon.process.pid}/environ`,
    );
    expect(stdout).toContain('--bucket=bucket');
    expect(stdout + JSON.stringify(daemon.lines)).not.toContain(store.accessKeySecret);
  });

  it.each([
    ['--mountpoint', ['--mountpoint=relative'], '--mountpoint=relative is not an absolute path'],
    ['an unknown flag', ['--colour=red'], 'unknown argument --colour=red: accepted are --mountpoint='],
    [
      'an unknown key',
      ['--behaviour={"hangs":[]}'],
      '--behaviour: Unrecognized key: "hangs" (its keys are onTerm, delayMs',
    ],
    ['missing credentials', ['--credentials=/nonexistent'], '/nonexistent/accessKeyId cannot be read (ENOENT)'],
  ])('refuses a wrong command line (%s) in one sentence, with status 2', async (_what, more, sentence) => {
    const daemon = stage.start(undefined, more);
    expect(await daemon.ended).toEqual({ exitCode: 2, signal: null });
    expect(daemon.errorOutput()).toContain(sentence);
    expect(daemon.errorOutput().trimEnd().split('\n')).toHaveLength(1);
  });

  const rootlessTitle = 'works without root, in a user namespace, if all users may open /dev/fuse';
  const skipped = lackingForOtherUsers === undefined ? '' : `, skipped: ${lackingForOtherUsers}`;
  it.skipIf(lackingForOtherUsers !== undefined)(`${rootlessTitle}${skipped}`, async () => {
    await using rootless = await DaemonStage.open({ store, program, rootless: true });
    const first = rootless.start();
    await first.line('ready');
    expect((await rootless.inside('cat /proc/self/uid_map')).stdout.trim().split(/ +/)).toEqual(['0', '1000', '1']);
    expect(await rootless.read('myfile')).toBe('hello');
    await first.kill('SIGKILL');
    expect(await rootless.read('myfile')).toBe('ENOTCONN');
    const second = rootless.start();
    await second.line('ready');
    expect(await rootless.read('myfile')).toBe('hello');
    expect(await second.kill('SIGTERM')).toEqual({ exitCode: 0, signal: null });
    expect((await rootless.inside('grep -c " $M " /proc/self/mountinfo')).stdout).toBe('0\n');
  });
});
