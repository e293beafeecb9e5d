import { createHash } from 'node:crypto';
import { createInterface } from 'node:readline';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { startProbe } from './running-probe.ts';

const sum = createHash('sha256').update('inside').digest('hex');

/** A process with a mount namespace and a root directory of its own, which hold /data/a.txt and nothing else. */
async function startTarget(script: string) {
  const setup = `set -e
    mount -t tmpfs none /mnt
    mkdir /mnt/data; printf inside > /mnt/data/a.txt; ${script}
    mkdir /mnt/proc /mnt/old; cd /mnt; pivot_root . old
    exec 3<&0; echo up; read line <&3`;
  const child = execa('unshare', ['-m', '--propagation', 'private', 'sh', '-c', setup], {
    stdio: ['pipe', 'pipe', 'inherit'],
    buffer: false,
    reject: false,
  });
  for await (const line of createInterface({ input: child.stdout })) if (line === 'up') break;
  return {
    pid: Number(child.pid),
    [Symbol.dispose]: () => void child.kill('SIGKILL'),
  };
}

describe.skipIf(process.getuid?.() !== 0)('the probe, as root (needs a mount namespace)', () => {
  const flags = { path: '/data', rate: 200, name: 'probe', files: JSON.stringify({ 'a.txt': sum }) };

  it('sees the files of the target’s mount namespace below the target’s root', async () => {
    using target = await startTarget('');
    await using probe = startProbe({ ...flags, pid: target.pid });
    for (const op of ['read', 'list', 'stat']) {
      expect(await probe.line((line) => line.op === op)).toMatchObject({ result: 'ok' });
    }
  });

  it('reads as the given user', async () => {
    using target = await startTarget('chmod 0600 /mnt/data/a.txt');
    await using probe = startProbe({ ...flags, pid: target.pid, uid: 1000, gid: 1000 });
    expect(await probe.line(({ op }) => op === 'read')).toMatchObject({ result: 'EACCES', call: 'open' });
    expect(await probe.line(({ op }) => op === 'list')).toMatchObject({ result: 'ok' });
  });
});
