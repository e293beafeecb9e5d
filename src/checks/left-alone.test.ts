import { describe, expect, it } from 'vitest';
import { Timeline } from '../timeline/timeline.ts';
import {
  agent,
  beats,
  consumer,
  done,
  kubernetesEvent,
  mounted,
  podTable,
  type Row,
  snapshot,
  volume,
  where,
} from './sample-history.ts';
import { isLeftAlone } from './untouched.ts';

const hung = [done(200, 'hang'), ...beats({ from: 0, to: 200 }), snapshot(100, where, 'before', podTable())];
const goesOn = [done(3000, 'hang', 'healed'), ...beats({ from: 3005, to: 3100 })];

describe('a mount that is not dead is left alone', () => {
  it.each<Row>([
    ['passes where nothing happens', [...hung, ...goesOn], 'pass', '2.80 s nothing was mounted'],
    [
      'takes no notice of what comes after it was healed',
      [...hung, ...goesOn, mounted(3001, where)],
      'pass',
      'in 2.80 s',
    ],
    ['fails on a mount in the pod', [...hung, mounted(900, where), ...goesOn], 'fail', '/data (default/demo-app/demo)'],
    ['fails on a mount at the target path', [...hung, mounted(900, 'node'), ...goesOn], 'fail', '(node)'],
    ['fails on what the agent says', [...hung, agent(900, 'replaced', 'node'), ...goesOn], 'fail', '"replaced"'],
    [
      'fails on an event',
      [...hung, kubernetesEvent(900, 'Pod default/demo-app'), ...goesOn],
      'fail',
      'FuseRecoverSucceed',
    ],
    ['is inconclusive without the fault', hung.slice(1), 'inconclusive', 'was not injected'],
    ['is inconclusive without a mount table', [done(200, 'hang'), ...goesOn], 'inconclusive', 'mount table'],
  ])('%s', (_, history, verdict, says) => {
    expect(isLeftAlone(new Timeline(history), { consumer, volume, fault: 'hang' })).toMatchObject({
      verdict,
      says: expect.stringContaining(says),
    });
  });
});
