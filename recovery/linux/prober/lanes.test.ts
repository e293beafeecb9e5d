import { expect, it } from 'vitest';
import type { DeviceId, Nanoseconds } from '../../engine/model.ts';
import { type Lanes, startLanes } from './lanes.ts';

/** In place of the prober: says that each connection is dead, and never answers about a path that hangs. */
const program = `
  echo ready
  while read -r line; do
    id=\${line#*\\"id\\":}
    id=\${id%%,*}
    case $line in
      *confirm*) id=\${line#*\\"confirm\\":} && printf '{"id":%s,"isAsked":true}\\n' "\${id%?}" ;;
      *hangs*) ;;
      *) printf '{"id":%s,"dead":"ENOTCONN"}\\n' "$id" ;;
    esac
  done`;
const now = () => process.hrtime.bigint() as Nanoseconds;

const ask = (lanes: Lanes, path: string, id: number, ms: number) =>
  lanes.ask({
    site: { kind: 'source', path },
    device: `0:${id}` as DeviceId,
    deadline: (now() + BigInt(ms) * 1_000_000n) as Nanoseconds,
    user: { uid: id, gid: id },
  });

it('asks for any number of users, one after another, and keeps the processes that wait', async () => {
  const command = ['/bin/sh', '-c', program, 'prober'];
  await using lanes = startLanes({ command, nodeMountNamespace: undefined, now });
  expect(await ask(lanes, '/hangs', 1, 10)).toMatchObject({ status: 'hung' });
  for (let id = 2; id < 14; id++)
    expect(await ask(lanes, '/dead', id, 20_000)).toEqual({ status: 'dead', errno: 'ENOTCONN' });
  expect(await ask(lanes, '/hangs', 1, 10)).toMatchObject({ status: 'hung' });
});
