import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const program = fileURLToPath(new URL('./testing/ipv6-only.ts', import.meta.url));

/** Runs a script in a network namespace whose only address is ::1. */
function inIpv6Only(script: string) {
  const argv = ['--net', 'sh', '-ec', `ip link set lo up; ip address del 127.0.0.1/8 dev lo; ${script}`];
  return spawnSync('unshare', argv, { encoding: 'utf8' });
}

it('in a network with only IPv6, webhook and agent are reachable (needs root)', ({ skip }) => {
  const { status, stderr } = inIpv6Only('grep -q ^0*1 /proc/net/if_inet6');
  skip(status !== 0, `no network namespace with only IPv6: ${stderr.trim()}`);
  const { stdout, stderr: errors } = inIpv6Only(`exec '${process.execPath}' '${program}'`);
  expect({ stdout, errors }).toEqual({ stdout: 'webhook 200, agent 200\n', errors: '' });
});
