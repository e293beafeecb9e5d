import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { outputOf, scratchNode, volume } from './scratch-node.ts';

const node = scratchNode();
const directory = (name: string): string => {
  const path = join(node.path, 'volume', name);
  mkdirSync(join(path, 'node'), { recursive: true });
  mkdirSync(join(path, 'container'));
  return path;
};
const container = node.start({
  mounts: [
    volume(directory('a'), '/none', 'None'),
    volume(directory('b'), '/slave', 'HostToContainer'),
    volume(directory('c'), '/shared', 'Bidirectional'),
  ],
});
await outputOf(container, 'true');
for (const name of ['a', 'b', 'c']) node.linux.mount('late', join(node.path, 'volume', name, 'node'), 'tmpfs', 0);
const table = await outputOf(container, 'cat /proc/self/mountinfo');
await outputOf(container, 'mount -t tmpfs early /none/container; mount -t tmpfs early /shared/container');
const onNode = readFileSync('/proc/self/mountinfo', 'utf8');
process.stdout.write(
  JSON.stringify({
    none: table.includes(' /none/node '),
    hostToContainer: table.includes(' /slave/node '),
    bidirectional: table.includes(' /shared/node '),
    fromContainer: onNode.includes('/volume/c/container '),
    fromNone: onNode.includes('/volume/a/container '),
  }),
);
process.kill(container.pid, 'SIGKILL');
