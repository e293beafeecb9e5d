import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { loadConfiguration, loadSupport, runCucumber } from '@cucumber/cucumber/api';
import { CucumberHtmlStream } from '@cucumber/html-formatter';
import type { Envelope } from '@cucumber/messages';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findChromium, startChromium } from '../../reports/testing/browser.ts';
import { mergeMessages, mergeStreams, messagesFile } from './messages.ts';

const feature = `Feature: Recovery
  Background:
    Given a pod

  Scenario: reads again
    When the daemon dies

  Scenario Outline: reads <file>
    Then it reads "<file>"
    Examples:
      | file |
      | one  |
      | two  |
`;
const support = `import { After, Given, Then, When } from ${JSON.stringify(import.meta.resolve('@cucumber/cucumber'))};
Given('a pod', () => {});
When('the daemon dies', () => { throw new Error('it did not die'); });
Then('it reads {string}', () => {});
After(() => {});
`;

let cwd: string;
let lines: string[];
let envelopes: readonly Envelope[];
const all = <K extends keyof Envelope>(kind: K) =>
  envelopes.flatMap((one) => one[kind] ?? []) as NonNullable<Envelope[K]>[];

beforeAll(async () => {
  cwd = mkdtempSync(join(tmpdir(), 'rekindle-messages-'));
  writeFileSync(join(cwd, 'recovery.feature'), feature);
  writeFileSync(join(cwd, 'steps.mjs'), support);
  const environment = { cwd, stdout: new PassThrough().resume(), stderr: new PassThrough().resume() };
  const provided = { import: ['steps.mjs'], paths: ['recovery.feature'] };
  const { runConfiguration } = await loadConfiguration({ file: false, provided }, environment);
  const loaded = await loadSupport(runConfiguration, environment);
  lines = [];
  for (const line of [5, 12, 13]) {
    const sources = { ...runConfiguration.sources, paths: [`recovery.feature:${line}`] };
    await runCucumber({ ...runConfiguration, sources, support: loaded }, environment, (message) =>
      lines.push(JSON.stringify(message)),
    );
  }
  envelopes = [...mergeStreams(lines)].map((line) => JSON.parse(line));
});

afterAll(() => rmSync(cwd, { recursive: true }));

describe('mergeStreams', () => {
  it('has one run with each declaration once', () => {
    for (const kind of ['meta', 'source', 'gherkinDocument', 'testRunStarted', 'testRunFinished', 'hook'] as const)
      expect([kind, all(kind).length]).toEqual([kind, 1]);
    expect(all('pickle')).toHaveLength(3);
    expect(all('stepDefinition')).toHaveLength(3);
    expect(all('testCase')).toHaveLength(3);
    expect(envelopes[0]).toHaveProperty('meta');
    expect(envelopes.at(-1)?.testRunFinished?.success).toBe(false);
  });

  it('leaves everything but ids as it came, and in that order', () => {
    const kinds = ['testCase', 'testCaseStarted', 'testStepStarted', 'testStepFinished', 'testCaseFinished'] as const;
    const withoutIds = (line: string) => line.replaceAll(/[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}/g, '');
    const isEvent = (line: string) => kinds.some((kind) => line.startsWith(`{"${kind}":`));
    const merged = envelopes.map((envelope) => JSON.stringify(envelope)).filter(isEvent);
    expect(merged.length).toBeGreaterThan(15);
    expect(merged.map(withoutIds)).toEqual(lines.filter(isEvent).map(withoutIds));
  });

  it('refers only to what it declares', () => {
    const [run] = all('testRunStarted');
    const pickles = new Map(all('pickle').map((pickle) => [pickle.id, pickle]));
    const declared = new Set([...all('stepDefinition'), ...all('hook')].map(({ id }) => id));
    for (const { pickleId, testRunStartedId, testSteps } of all('testCase')) {
      expect(testRunStartedId).toBe(run?.id);
      const steps = pickles.get(pickleId)?.steps.map(({ id }) => id);
      for (const { pickleStepId, hookId, stepDefinitionIds } of testSteps) {
        if (pickleStepId) expect(steps).toContain(pickleStepId);
        for (const id of [hookId ?? [], stepDefinitionIds ?? []].flat()) expect(declared).toContain(id);
      }
    }
    const document = JSON.stringify(all('gherkinDocument'));
    for (const { astNodeIds } of pickles.values()) for (const id of astNodeIds) expect(document).toContain(id);
    expect(new Set(all('testCase').map(({ pickleId }) => pickleId)).size).toBe(3);
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
    const chromium = findChromium(process.env.REKINDLE_CHROMIUM);
    if (chromium === undefined) test.skip('not drawn: no Chromium (REKINDLE_CHROMIUM names one)');
    const browser = await startChromium(chromium ?? '');
    try {
      const tab = await browser.newPage();
      const errors: string[] = [];
      tab.on('pageerror', ({ message }) => errors.push(message));
      await tab.setContent(page);
      await tab.getByText('Recovery').first().waitFor();
      await tab.getByText('it did not die').first().waitFor();
      expect(errors).toEqual([]);
    } finally {
      await browser.close();
    }
  });
});

it('the last run of a folder is left out if it does not count', async () => {
  const [runs, discarded] = ['runs', 'discarded'].map((name) => join(cwd, name)) as [string, string];
  for (const folder of [runs, discarded]) {
    mkdirSync(folder);
    writeFileSync(join(folder, messagesFile), `${lines.join('\n')}\n`);
  }
  await mergeMessages([runs, discarded], cwd, new Set([discarded]));
  const merged = readFileSync(join(cwd, messagesFile), 'utf8');
  // Three scenarios of the one, and all but the last of the other.
  expect(merged.match(/"testCaseFinished":/g)).toHaveLength(5);
});
