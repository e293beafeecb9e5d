/**
 * What a node agent comes to that recovers in the plainest way: every so often it looks at the mount table, and where a pod's
 * target path shows another filesystem than its source does, it binds the source over it, and mount propagation carries that into
 * the pod. `main.ts --poll-period=5000 <the agent's flags>`. It is nobody's product: something to measure against. Publishing,
 * health and metrics are those of Rekindle's agent, whose own recovery is off; its clones stay in the source's peer group, as those of a
 * bind mount do, because otherwise nothing would propagate.
 */
import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { loadSyscalls } from '../../recovery/linux/libc.ts';
import { parseMountinfo } from '../../recovery/linux/mountinfo.ts';
import { MS_BIND, MS_RDONLY, MS_REMOUNT } from '../../recovery/linux/syscalls.ts';
import { wrapModule } from '../wrap-module.ts';

const [period = ''] = process.argv.splice(2, 1);
const periodMs = Number(period.replace('--poll-period=', ''));
if (!(periodMs > 0)) throw new Error('--poll-period=MILLISECONDS comes first');
process.argv = process.argv.map((flag) =>
  flag.startsWith('--feature-gates=') ? '--feature-gates=FuseRecovery=false' : flag,
);

registerHooks(
  wrapModule({
    real: new URL('../../recovery/linux/libc.ts', import.meta.url),
    ours: new URL('./sharing-libc.ts', import.meta.url),
  }),
);
const sys = loadSyscalls();
const mountRoot = process.env.MOUNT_ROOT ?? '/runtime-mnt';

function poll(): void {
  const mounts = parseMountinfo(readFileSync('/proc/self/mountinfo', 'utf8')).filter(({ fstype }) =>
    fstype.startsWith('fuse'),
  );
  const seen = new Map(mounts.map((mount) => [mount.mountPoint, mount]));
  for (const { mountPoint: target, device } of seen.values()) {
    const volume = /\/pods\/[^/]+\/volumes\/kubernetes\.io~csi\/([^/]+)\/mount$/.exec(target)?.[1];
    const source = [...seen.values()].find(({ mountPoint }) => volume !== undefined && volumeOf(mountPoint) === volume);
    if (source === undefined || source.device === device) continue;
    const bound = sys.mount({ source: source.mountPoint, target, fstype: null, flags: MS_BIND });
    if (bound.ok) sys.mount({ source: null, target, fstype: null, flags: MS_BIND | MS_REMOUNT | MS_RDONLY });
  }
}

/** `<namespace>-<name>` of `<mount root>/<runtime>/<namespace>/<name>/...`. */
function volumeOf(mountPoint: string): string | undefined {
  if (!mountPoint.startsWith(`${mountRoot}/`)) return undefined;
  const [, namespace, name] = mountPoint.slice(mountRoot.length + 1).split('/');
  return `${namespace}-${name}`;
}

setInterval(poll, periodMs);
// It ends with the process.
await import('../../recovery/agent/main.ts');
