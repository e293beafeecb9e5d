import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { outputOf, scratchNode, volume } from './scratch-node.ts';

const node = scratchNode();
writeFileSync(join(node.path, 'volume/file'), 'from the volume');
const container = node.start({
  argv: ['sh', '-c', 'trap "exit 7" TERM; while :; do sleep 0.05; done'],
  mounts: [
    { ...volume(join(node.path, 'volume'), '/data', 'None'), readOnly: true },
    volume(join(node.path, 'pod/etc-hosts'), '/etc/hosts', 'None'),
  ],
});
const ask = (script: string) => outputOf(container, script);
const seen = {
  pid: await ask('cat /proc/1/comm >/dev/null && echo 1'),
  data: await ask('cat /data/file'),
  readOnly: (await ask('touch /data/new 2>/dev/null || echo refused')) === 'refused',
  hostsFromPod: (await ask('cat /etc/hosts')) === 'made by the kubelet',
  node: (await ask('cat /proc/self/mountinfo')).includes(node.path),
  exec: await ask('echo $(ls -d /proc/[0-9]* | head -1 | cut -d/ -f3) from inside'),
};
await ask('kill 1');
process.stdout.write(JSON.stringify({ ...seen, exit: await container.exited }));
