import { describe, expect, it } from 'vitest';
import type { CheckRecord, HistoryEvent } from '../timeline/record.ts';
import { Timeline } from '../timeline/timeline.ts';
import { suite } from './testing/check-suite.ts';
import { adding, beats, broken, consumer, daemon, failing, fault, left, without } from './testing/sample-history.ts';
import { endsOutageInTime, recoversWithinBudget } from './within-budget.ts';

const budgeted =
  (outageMs: number, readyToReadableMs: number) =>
  (timeline: Timeline): CheckRecord =>
    recoversWithinBudget(timeline, { consumer, budgets: { outageMs, readyToReadableMs } });

suite('the recovery is within the budget', budgeted(210, 20), [
  [
    'passes within both',
    broken(),
    'pass',
    'first outage 201 ms of 210 ms, daemon ready to readable 11.0 ms of 20.0 ms',
  ],
  [
    'fails if the pod does not read again',
    left(),
    'fail',
    'did not read again; first error in the pod +6.00 ms, daemon back +184 ms',
  ],
  [
    'fails if the outage is too long, with its phases',
    broken(failing(400, 450, 'ENOTCONN')),
    'fail',
    'the outage took 251 ms, the budget is 210 ms; noticed by the agent +1.00 ms',
  ],
  [
    'is inconclusive if the daemon’s return is not known',
    broken(without((event) => event.kind === 'process' && event.change === 'ready')),
    'inconclusive',
    'does not show when',
  ],
  [
    'is inconclusive if the pod felt nothing',
    broken(failing(205, 400, 'ok')),
    'inconclusive',
    'no crash that the pod felt',
  ],
]);

describe('the recovery is within the budget for the agent alone', () => {
  it('passes if a later outage is longer, because Kubernetes waited', () => {
    const second = [fault(1000), daemon(1001, 'exited'), daemon(1900, 'ready')];
    const operations = [...beats({ from: 1005, to: 1910, result: 'ENOTCONN' }), ...beats({ from: 1910, to: 2000 })];
    expect(budgeted(210, 20)(new Timeline(broken(adding(...second, ...operations))))).toMatchObject({
      verdict: 'pass',
      says: expect.stringContaining('the worst of 2 crashes'),
    });
  });

  it('fails if the pod reads too long after the daemon is ready', () => {
    expect(budgeted(500, 10)(new Timeline(broken()))).toMatchObject({
      verdict: 'fail',
      says: expect.stringContaining('read 11.0 ms after the daemon was ready, the budget is 10.0 ms; '),
    });
  });

  it('counts from the moment at which the agent was ready, too', () => {
    const agentReady = { ...daemon(395, 'ready'), role: 'agent' } as HistoryEvent;
    expect(budgeted(500, 10)(new Timeline(broken(adding(agentReady))))).toMatchObject({ verdict: 'pass' });
  });

  it('is inconclusive if the probe itself was late', () => {
    const late = (event: HistoryEvent): HistoryEvent =>
      event.kind === 'probe' && event.at === 390e6
        ? { ...event, startedAt: 560e6, finishedAt: 561e6 }
        : event.kind === 'probe' && event.at > 390e6
          ? { ...event, startedAt: event.startedAt + 200e6, finishedAt: event.finishedAt + 200e6 }
          : event;
    const history = broken().map(late);
    expect(budgeted(500, 10)(new Timeline(history))).toMatchObject({
      verdict: 'inconclusive',
      says: expect.stringContaining('the probe was late by 170 ms'),
      isTooSlow: true,
    });
  });
});

suite('the outage ends in time', (timeline) => endsOutageInTime(timeline, { consumer, outageMs: 210 }), [
  ['passes if the pod reads within the budget', broken(), 'pass', 'the outage took 201 ms, the budget is 210 ms'],
  [
    'passes whether or not the FUSE process is known',
    broken(without((event) => event.kind === 'process')),
    'pass',
    'the outage took 201 ms',
  ],
  ['fails if it takes longer', broken(failing(400, 450, 'ENOTCONN')), 'fail', 'the outage took 251 ms'],
  ['fails if the pod does not read again', left(), 'fail', 'did not read again'],
]);
