import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { CucumberHtmlStream } from '@cucumber/html-formatter';
import type { Envelope } from '@cucumber/messages';
import { describe, expect, it } from 'vitest';
import { sampleRun } from '../src/timeline/sample.ts';
import { findChromium, startChromium } from './measure/browser.ts';
import { renderMessages } from './messages.ts';

const { record } = sampleRun({ operations: 60 });
const envelopes = renderMessages(record)
  .trimEnd()
  .split('\n')
  .map((line): Envelope => JSON.parse(line));
const all = <K extends keyof Envelope>(kind: K) =>
  envelopes.flatMap((one) => one[kind] ?? []) as NonNullable<Envelope[K]>[];

describe('renderMessages', () => {
  it('begins and ends as a stream of messages does, each of one kind', () => {
    expect(envelopes.map((one) => Object.keys(one).length)).toEqual(envelopes.map(() => 1));
    expect(envelopes[0]?.meta?.implementation.name).toBe('rekindle');
    expect(envelopes.at(-1)?.testRunFinished?.success).toBe(false);
  });

  it('names nothing that it does not also have', () => {
    const steps = new Set(
      all('gherkinDocument').flatMap(({ feature }) =>
        (feature?.children ?? [])
          .flatMap((child) => child.scenario ?? child.rule?.children.flatMap((one) => one.scenario ?? []) ?? [])
          .flatMap((scenario) => [scenario.id, ...scenario.steps.map(({ id }) => id)]),
      ),
    );
    const pickles = all('pickle');
    for (const { astNodeIds, steps: own } of pickles) {
      for (const id of [...astNodeIds, ...own.flatMap((step) => step.astNodeIds)]) expect(steps).toContain(id);
    }
    const cases = all('testCase');
    expect(cases.map(({ pickleId }) => pickleId)).toEqual(pickles.map(({ id }) => id));
    const started = all('testCaseStarted');
    expect(started.map(({ testCaseId }) => testCaseId)).toEqual(cases.map(({ id }) => id));
    const testSteps = new Set(cases.flatMap((one) => one.testSteps.map(({ id }) => id)));
    for (const { testStepId } of all('testStepFinished')) expect(testSteps).toContain(testStepId);
    expect(all('testStepFinished')).toHaveLength(testSteps.size);
    const ids = [...steps, ...pickles.map(({ id }) => id), ...cases.map(({ id }) => id), ...testSteps];
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('says how each scenario ended, with its reason where no step says it', () => {
    const results = all('testStepFinished').map(({ testStepResult }) => testStepResult);
    const told = (status: string) => results.filter((one) => one.status === status && one.message);
    expect(told('FAILED')).toHaveLength(1);
    expect(told('PENDING').map(({ message }) => message)).toEqual([expect.stringContaining('had not come back')]);
    expect(told('SKIPPED').map(({ message }) => message)).toContain(
      'The sandbox has no virtual node; run it with --cluster kind.',
    );
  });

  it('is shown by Cucumber’s own HTML formatter', { timeout: 60_000 }, async (test) => {
    let page = '';
    const sink = new Writable({
      write(piece, _encoding, done) {
        page += piece;
        done();
      },
    });
    await pipeline(envelopes, new CucumberHtmlStream(), sink);
    expect(page).toContain('three crashes leave the mount table as long as it was');
    const chromium = findChromium(process.env.REKINDLE_CHROMIUM);
    if (chromium === undefined) test.skip('not drawn: no Chromium (REKINDLE_CHROMIUM names one)');
    const browser = await startChromium(chromium ?? '');
    try {
      const tab = await browser.newPage();
      const errors: string[] = [];
      tab.on('pageerror', ({ message }) => errors.push(message));
      await tab.setContent(page);
      await tab.getByText('Crash and recovery').first().waitFor();
      await tab.getByText('One operation had not come back').first().waitFor();
      expect(errors).toEqual([]);
    } finally {
      await browser.close();
    }
  });
});
