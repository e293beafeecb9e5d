import { describe, expect, it } from 'vitest';
import { Timeline } from '../timeline/timeline.ts';
import { seesNoError } from './reads.ts';
import { beats, consumer, done, failing, hang, podTable, type Row, snapshot, where } from './sample-history.ts';

const hung = [done(200, 'hang'), ...beats({ from: 0, to: 200 }), snapshot(100, where, 'before', podTable())];
const goesOn = [done(3000, 'hang', 'healed'), ...beats({ from: 3005, to: 3100 })];

describe('the pod waits, and sees no error', () => {
  it.each<Row>([
    ['passes where all comes back', [...hung, ...goesOn], 'pass', 'operations were good after the fault'],
    ['fails on an error', failing(3050, 3055, 'ENOTCONN')([...hung, ...goesOn]), 'fail', 'ENOTCONN'],
    ['fails on what never comes back', [...hung, hang(210, 400, false), ...goesOn], 'fail', 'never came back'],
    ['passes where one is still under way', [...hung, ...goesOn, hang(3050, 3150, false)], 'pass', 'good'],
    ['is inconclusive where nothing was done', hung, 'inconclusive', 'did nothing'],
  ])('%s', (_, history, verdict, says) => {
    expect(seesNoError(new Timeline(history), consumer)).toMatchObject({
      verdict,
      says: expect.stringContaining(says),
    });
  });
});
