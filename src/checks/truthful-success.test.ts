import { describe, expect, it } from 'vitest';
import { Timeline } from '../timeline/timeline.ts';
import { suite } from './testing/check-suite.ts';
import {
  adding,
  agent,
  beats,
  broken,
  consumer,
  cutAt,
  daemon,
  failing,
  fault,
  hang,
  kubernetesEvent,
  left,
  ms,
  recovered,
  type SampleHistory,
  where,
  without,
} from './testing/sample-history.ts';
import { claimsOnlyTrueSuccess } from './truthful-success.ts';

suite('every claim of a recovery is true', (timeline) => claimsOnlyTrueSuccess(timeline, consumer), [
  ['passes if good reads follow each claim', broken(), 'pass', 'all 3 claims were followed by good reads'],
  ['fails if an error follows', broken(failing(400, 410, 'ENOTCONN')), 'fail', 'later read got ENOTCONN'],
  [
    'fails if the agent had replaced nothing',
    broken(without((event) => event.kind === 'agent' && event.event === 'replaced' && event.where === where)),
    'fail',
    'had not replaced',
  ],
  [
    'passes on the report of an agent that never reports a mount, if good reads follow',
    broken(without((event) => event.kind === 'agent' && event.event === 'replaced')),
    'pass',
    'all 3 claims were followed by good reads',
  ],
  [
    'passes on events alone if good reads follow',
    broken(without((event) => event.kind === 'agent')),
    'pass',
    'all 2 claims were followed by good reads',
  ],
  [
    'fails on an event while errors last',
    left(adding(kubernetesEvent(400, 'Dataset default/demo-dataset'))),
    'fail',
    '200 ms after the crash: later',
  ],
  [
    'fails on a claim before any crash',
    broken(adding(kubernetesEvent(50, 'Pod default/demo-app'))),
    'fail',
    'before anything had crashed',
  ],
  [
    'fails if a call never comes back afterwards',
    broken(adding(hang(500, 900, false), kubernetesEvent(3_000, 'Pod default/other'))),
    'fail',
    'never came back',
  ],
  [
    'is inconclusive if a call may still come back',
    broken(adding(hang(500, 900, false))),
    'inconclusive',
    'not back yet',
  ],
  [
    'passes on a claim about another pod',
    broken(adding(kubernetesEvent(300, 'Pod default/other-app'))),
    'pass',
    'all 3 claims',
  ],
  [
    'is inconclusive if nothing is claimed',
    broken(without((event) => event.kind === 'event' || event.kind === 'agent')),
    'inconclusive',
    'nothing claimed',
  ],
  ['is inconclusive if the history ends with the claim', broken(cutAt(420)), 'inconclusive', 'only 5 of 10 operations'],
]);

describe('claims between one crash and the next', () => {
  /** A second crash at a moment before the first event has arrived. */
  const again = (at: number, ...more: SampleHistory) =>
    [
      ...recovered().filter((event) => event.at < 400 * ms),
      fault(at),
      daemon(at + 0.1, 'exited'),
      ...beats({ from: 420, to: 600, result: 'ENOTCONN', call: 'open' }),
      daemon(590, 'ready'),
      agent(596, 'replaced', where),
      agent(598, 'recovered', where),
      ...beats({ from: 600, to: 900 }),
      ...more,
    ].toSorted((a, b) => a.at - b.at);

  it('are as true as the agent’s report if the event arrives after the next crash', () => {
    const history = again(410, ...beats({ from: 400, to: 410 }), kubernetesEvent(420, 'Pod default/demo-app'));
    expect(claimsOnlyTrueSuccess(new Timeline(history), consumer).verdict).toBe('pass');
  });

  it('are not excused twice', () => {
    const event = kubernetesEvent(420, 'Pod default/demo-app');
    const history = again(410, ...beats({ from: 400, to: 410 }), event, { ...event, at: 430 * ms });
    expect(claimsOnlyTrueSuccess(new Timeline(history), consumer)).toMatchObject({ verdict: 'fail' });
  });

  it('may arrive after the next crash if only events report recoveries, once, and only if the pod had read', () => {
    const withoutLog = (history: SampleHistory) =>
      history.filter(({ kind, at }) => kind !== 'agent' && (kind !== 'event' || at > 410 * ms));
    const late = kubernetesEvent(420, 'Pod default/demo-app');
    const verdictOf = (...more: SampleHistory) =>
      claimsOnlyTrueSuccess(new Timeline(withoutLog(again(410, ...more))), consumer).verdict;
    const read = beats({ from: 400, to: 410 });
    const own = kubernetesEvent(605, 'Pod default/demo-app');
    expect(verdictOf(...read, late, own)).toBe('pass');
    expect(verdictOf(...read, late, { ...late, at: 430 * ms }, own)).toBe('fail');
    expect(verdictOf(late, own)).toBe('fail');
  });

  it('may each arrive after the next crash if only events report recoveries', () => {
    const report = (at: number) => kubernetesEvent(at, 'Pod default/demo-app');
    const third = [
      fault(910),
      daemon(910.1, 'exited'),
      ...beats({ from: 920, to: 1100, result: 'ENOTCONN', call: 'open' }),
      daemon(1090, 'ready'),
      ...beats({ from: 1100, to: 1400 }),
    ];
    const verdictOf = (...reports: SampleHistory) =>
      claimsOnlyTrueSuccess(
        new Timeline(
          again(410, ...beats({ from: 400, to: 410 }), ...third)
            .filter(({ kind }) => kind !== 'agent' && kind !== 'event')
            .concat(reports),
        ),
        consumer,
      ).verdict;
    expect(verdictOf(report(420), report(925), report(1105))).toBe('pass');
    expect(verdictOf(report(420), report(605), report(925), report(1105))).toBe('fail');
  });

  it('may come just after a crash from an agent that read just before it, and from its event', () => {
    const said = [agent(411, 'recovered', where), kubernetesEvent(412, 'Pod default/demo-app')];
    const history = again(410, ...beats({ from: 400, to: 410 }), ...said).filter(
      (event) => event.kind !== 'agent' || event.event !== 'recovered' || event.at > 400 * ms,
    );
    expect(claimsOnlyTrueSuccess(new Timeline(history), consumer).verdict).toBe('pass');
  });

  it('do not count if the pod could neither confirm nor refute them', () => {
    expect(claimsOnlyTrueSuccess(new Timeline(again(399.5)), consumer)).toMatchObject({
      verdict: 'pass',
      says: expect.stringContaining('1 more were overtaken'),
    });
  });
});
