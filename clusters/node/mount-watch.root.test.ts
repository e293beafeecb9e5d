import { once } from 'node:events';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, it } from 'vitest';
import type { HistoryEvent } from '../../src/timeline/record.ts';
import { MountWatch } from './mount-watch.ts';

const needs = process.getuid?.() === 0 ? '' : ' (skipped: needs root)';

/** Starts like a container runtime, and mounts a file system on request. */
const script = `
  mount -t tmpfs root "$0" && mkdir "$0/old" "$0/proc" "$0/data" "$0/bin" "$0/usr" "$0/lib" "$0/lib64" || exit 1
  for each in proc bin usr lib lib64; do mount --rbind "/$each" "$0/$each"; done
  echo made; read -r _
  cd "$0" && pivot_root . old && umount -l /old
  mount -t tmpfs volume /data; echo mounted; read -r _
`;

it.skipIf(needs !== '')(`sees what is mounted in a container that was still being started${needs}`, async () => {
  const root = mkdtempSync(join(tmpdir(), 'rekindle-watch-'));
  await using scope = new AsyncDisposableStack();
  scope.defer(() => rmdirSync(root));
  const container = execa('unshare', ['--mount', '--propagation', 'private', 'sh', '-c', script, root], {
    stdio: ['pipe', 'pipe', 'inherit'],
    buffer: false,
    reject: false,
  });
  scope.defer(async () => {
    container.kill('SIGKILL');
    await container;
  });
  await once(container.stdout, 'data');
  const seen = Promise.withResolvers<HistoryEvent>();
  const watch = new MountWatch((event) => {
    if (event.kind === 'mount' && event.change === 'added' && event.mountPoint === '/data') seen.resolve(event);
  });
  scope.use(watch);
  watch.watch(container.pid ?? 0, 'the container');
  container.stdin.write('\n');
  expect(await seen.promise).toMatchObject({ where: 'the container', fstype: 'tmpfs' });
});
