import { expect, test } from 'vitest';
import { killOrder, parseRunProcess } from './processes.ts';

const runId = '20261122-134501-k3f9';

function files(environ: readonly string[], pids = '400', state = 'S', name = 'node') {
  const zeros = Array.from({ length: 18 }, () => '0').join(' ');
  return {
    environ: environ.map((line) => `${line}\0`).join(''),
    status: `Name:\tnode\nNSpid:\t${pids}\n`,
    stat: `400 (${name}) ${state} ${zeros} 77123 0 0\n`,
    cmdline: name === 'node' ? '/usr/bin/node\0/opt/rekindle/supervisor.ts\0--flag\0' : '',
  };
}

const of = (pid: number, pids: string) => parseRunProcess(pid, files([`REKINDLE_RUN_ID=${runId}`], pids));

test('a process belongs to the run that its environment names', () => {
  expect(parseRunProcess(400, files(['PATH=/bin', `REKINDLE_RUN_ID=${runId}`]))).toEqual({
    pid: 400,
    runId,
    harness: false,
    pids: [400],
    startTicks: 77123,
    command: 'node supervisor.ts',
  });
});

test('the harness is the process whose role says so', () => {
  const environ = [`REKINDLE_RUN_ID=${runId}`, 'REKINDLE_RUN_ROLE=harness'];
  expect(parseRunProcess(400, files(environ))?.harness).toBe(true);
});

test('a command name with brackets and spaces does not shift the fields', () => {
  const found = parseRunProcess(400, files([`REKINDLE_RUN_ID=${runId}`], '400', 'S', 'a) S (b'));
  expect(found).toMatchObject({ startTicks: 77123, command: 'a) S (b' });
});

test.each([
  ['names no run', files(['PATH=/bin'])],
  ['names something else than a run id', files(['REKINDLE_RUN_ID=../../etc'])],
  ['only ends in the name of the variable', files([`NOT_REKINDLE_RUN_ID=${runId}`])],
  ['is a zombie', files([`REKINDLE_RUN_ID=${runId}`], '400', 'Z')],
])('a process that %s is no process of a run', (_, given) => {
  expect(parseRunProcess(400, given)).toBeUndefined();
});

test('supervisors are killed first, outer namespaces before inner ones', () => {
  const processes = [of(10, '10'), of(13, '13 3'), of(14, '14 4 1'), of(12, '12 1')].flatMap((one) => one ?? []);
  expect(killOrder(processes).map(({ pid }) => pid)).toEqual([12, 14, 10, 13]);
});
