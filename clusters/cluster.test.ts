import { expect, it } from 'vitest';
import { ForeignAgentFailed } from './cluster.ts';

it.each([
  [
    'the last complaint, which ended it, and not an earlier one',
    'the agent ended before it was ready (exit status 1): I1201 Cannot run systemd-run\nI1201 assuming non-systemd OS\nE1201 "fail to run driver" err="listen unix /x/csi.sock: bind: no such file or directory"',
    'E1201 "fail to run driver" err="listen unix /x/csi.sock: bind: no such file or directory"',
  ],
  ['no frame of a stack', 'Error: no\n    at throwError (x.js:1)', 'Error: no'],
  ['what it says otherwise', 'it does not serve /x/csi.sock after 30 s', 'it does not serve /x/csi.sock after 30 s'],
])('says why a program does not start: %s', (_, message, reason) => {
  const { message: text } = new ForeignAgentFailed({ cause: new Error(message), logFile: 'agent.log' });
  expect(text).toBe(`the program in the agent's place does not start: ${reason} (all that it printed: agent.log)`);
});
