import { getsItsDataBack, type ObservedProgram } from './program.ts';
import { suite } from './testing/check-suite.ts';
import { beats, consumer, fault, ms, recovered } from './testing/sample-history.ts';

const name = 'sh -c loop';
const prints = (at: number, text: string) =>
  ({ kind: 'output', at: at * ms, program: name, stream: 'stdout', text }) as const;
const dead = 'cat: /data/myfile.txt: Transport endpoint is not connected';
const crash = () => [...recovered(), prints(150, 'good'), prints(250, dead)];
const judging = (run: Partial<ObservedProgram> = {}) => ({
  judge: (timeline: Parameters<typeof getsItsDataBack>[0]) => getsItsDataBack(timeline, { name, consumer, ...run }),
});

suite('a program that is watched', judging().judge, [
  [
    'passes if it prints something else after its errors',
    [...crash(), prints(500, 'good again')],
    'pass',
    'after 1 error of the dead mount it printed "good again" 300 ms after the crash',
  ],
  ['passes if it never failed', [...recovered(), prints(500, 'good')], 'pass', 'no error of a dead mount'],
  [
    'fails if its last line is an error of the dead mount',
    [...crash(), prints(500, 'OSError: [Errno 107]')],
    'fail',
    'it still failed 300 ms after the crash',
  ],
  [
    'fails if its errors come after good lines',
    [...crash(), prints(500, 'good'), prints(900, dead)],
    'fail',
    'still failed 700 ms',
  ],
  [
    'is inconclusive if it prints nothing after the pod reads',
    crash().filter(({ kind }) => kind !== 'output'),
    'inconclusive',
    'printed nothing',
  ],
  [
    'does not count what another program prints',
    [...crash(), { ...prints(500, 'good'), program: 'other' }],
    'fail',
    'still failed',
  ],
  [
    'is inconclusive if the pod does not read',
    [
      ...beats({ from: 0, to: 200 }),
      fault(200),
      ...beats({ from: 205, to: 900, result: 'ENOTCONN' }),
      prints(500, 'good'),
    ],
    'inconclusive',
    'the pod did not read again',
  ],
]);

suite('a program with an expected text', judging({ expect: 'loss' }).judge, [
  [
    'passes if it prints the text after the pod reads',
    [...crash(), prints(600, 'loss 0.1')],
    'pass',
    'it printed "loss 0.1" 400 ms after the crash',
  ],
  [
    'fails if it printed the text only before',
    [...crash(), prints(150, 'loss 0.2'), prints(600, 'good')],
    'fail',
    'did not print "loss"',
  ],
]);

suite('a program that ended with a status', judging({ end: { exitCode: 3, signal: null }, expect: 'loss' }).judge, [
  [
    'fails whatever it printed',
    [...crash(), prints(600, 'loss 0.1')],
    'fail',
    'it ended with status 3; its last line: "loss 0.1"',
  ],
]);

suite('a program that was killed', judging({ end: { exitCode: null, signal: 'SIGBUS' } }).judge, [
  ['fails', crash(), 'fail', 'it ended with SIGBUS'],
]);

suite('a program that ended with status 0', judging({ end: { exitCode: 0, signal: null } }).judge, [
  ['passes if it printed something after the pod read', [...crash(), prints(600, 'done')], 'pass', '"done"'],
  [
    'is inconclusive if it printed nothing since',
    crash().filter(({ kind }) => kind !== 'output'),
    'inconclusive',
    'ended with status 0',
  ],
]);
