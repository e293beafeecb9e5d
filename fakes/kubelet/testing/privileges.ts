import { readFileSync, readlinkSync } from 'node:fs';
import { scratchNode } from './scratch-node.ts';

/** What a container may do with the capabilities in the arguments and the rest of the agent's security context; prints it as JSON. */
const container = scratchNode().start({
  // The last program has been executed once it prints.
  argv: [
    'sh',
    '-c',
    `for path in /tmp /usr /dev/shm; do test -w $path && printf "$path "; done; echo; exec sleep infinity`,
  ],
  hostPid: true,
  privileges: { capabilities: process.argv.slice(3), noNewPrivileges: true, readOnlyRoot: true },
});
container.program.stdout.once('data', (written) => {
  const status = readFileSync(`/proc/${container.pid}/status`, 'utf8');
  const field = (name: string) => new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(status)?.[1];
  process.stdout.write(
    JSON.stringify({
      effective: field('CapEff'),
      bounding: field('CapBnd'),
      inheritable: field('CapInh'),
      noNewPrivileges: field('NoNewPrivs'),
      written: String(written).trim(),
      seesNode: readlinkSync(`/proc/${container.pid}/ns/pid`) === readlinkSync('/proc/self/ns/pid'),
      ownMounts: readlinkSync(`/proc/${container.pid}/ns/mnt`) !== readlinkSync('/proc/self/ns/mnt'),
    }),
  );
  process.kill(container.pid, 'SIGKILL');
});
