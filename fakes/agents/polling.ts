/**
 * The plainest node agent that recovers at all, as a baseline for measurements; nobody ships it.
 * `polling.ts --poll-period=5000 <the agent's flags>`: every period it reads the mount table, and if a pod's target path shows
 * another file system than its source mount, it binds the source over it; mount propagation carries that into the pod. Publishing,
 * health and metrics are those of Rekindle's agent, whose own recovery is off. Its clones stay in the peer group of the source,
 * as those of a bind mount do, since otherwise nothing would propagate.
 */
import { readFileSync } from 'node:fs';
import { loadSyscalls } from '../../recovery/linux/load-syscalls.ts';
import { parseMountinfo } from '../../recovery/linux/mountinfo.ts';
import { MS_BIND, MS_RDONLY, MS_REMOUNT } from '../../recovery/linux/syscalls.ts';
import { wrapModule } from './wrap-module.ts';

const [flag = ''] = process.argv.splice(2, 1);
const periodMs = Number(flag.replace('--poll-period=', ''));
if (!(periodMs > 0)) throw new Error('the first argument must be --poll-period=MILLISECONDS');
process.argv = process.argv.map((argument) =>
  argument.startsWith('--feature-gates=') ? '--feature-gates=FuseRecovery=false' : argument,
);

wrapModule('loadSyscalls', 'shares-peer-group');
const sys = loadSyscalls();
const mountRoot = process.env.MOUNT_ROOT ?? '/runtime-mnt';

function poll(): void {
  const mounts = parseMountinfo(readFileSync('/proc/self/mountinfo', 'utf8')).filter(({ fstype }) =>
    fstype.startsWith('fuse'),
  );
  const topmost = new Map(mounts.map((mount) => [mount.mountPoint, mount]));
  for (const { mountPoint: target, device } of topmost.values()) {
    const volume = /\/pods\/[^/]+\/volumes\/kubernetes\.io~csi\/([^/]+)\/mount$/.exec(target)?.[1];
    if (volume === undefined) continue;
    const source = [...topmost.values()].find(({ mountPoint }) => volumeOfSource(mountPoint) === volume);
    if (source === undefined || source.device === device) continue;
    const bound = sys.mount({ source: source.mountPoint, target, fstype: null, flags: MS_BIND });
    if (bound.ok) sys.mount({ source: null, target, fstype: null, flags: MS_BIND | MS_REMOUNT | MS_RDONLY });
  }
}

/** `<namespace>-<name>`, if the path is `<mount root>/<runtime>/<namespace>/<name>/...`. */
function volumeOfSource(mountPoint: string): string | undefined {
  if (!mountPoint.startsWith(`${mountRoot}/`)) return undefined;
  const [, namespace, name] = mountPoint.slice(mountRoot.length + 1).split('/');
  return `${namespace}-${name}`;
}

setInterval(poll, periodMs);
await import('../../recovery/agent/main.ts');
