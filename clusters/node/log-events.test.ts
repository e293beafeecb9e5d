import { describe, expect, it } from 'vitest';
import { historyEvent } from '../../src/timeline/record.ts';
import { toEvent } from './log-events.ts';

describe('a line of the agent’s log', () => {
  it('becomes an event at the time that the agent gives, in the pod that it names', () => {
    const line = {
      ns: '123',
      event: 'replaced',
      place: 'container',
      pod: 'ns/demo-app',
      container: 'demo',
      path: '/data',
      tookNs: 5,
    };
    expect(toEvent(line)).toEqual({
      kind: 'agent',
      at: 123,
      event: 'replaced',
      where: 'ns/demo-app/demo',
      path: '/data',
      tookNs: 5,
      line,
    });
  });

  it('concerns the node if its site is a target path', () => {
    expect(toEvent({ ns: '1', event: 'recovered', place: 'target' })).toMatchObject({ where: 'node' });
  });

  it.each([{ event: 'ready', ns: '1' }, { event: 'replaced' }, { ns: '1' }, {}])(
    'is not an event if it is not a decision: %j',
    (line) => {
      expect(toEvent(line)).toBeUndefined();
    },
  );
});

it('every decision of the agent that a record can have is converted', () => {
  const agent = historyEvent.options.flatMap(({ shape }) => (shape.kind.value === 'agent' ? [shape] : []))[0];
  const decisions = agent !== undefined && 'event' in agent ? agent.event.options : [];
  expect(decisions).toContain('recovered');
  expect(decisions.map((event) => toEvent({ event, ns: '1' })?.kind)).toEqual(decisions.map(() => 'agent'));
});
