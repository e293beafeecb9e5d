import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import axe, { type AxeResults } from 'axe-core';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sampleRun } from '../src/timeline/testing/sample-run.ts';
import { renderBench } from './bench/html.ts';
import { sampleBench } from './bench/testing/sample-bench.ts';
import { renderFleet } from './fleet/html.ts';
import { sampleForecast } from './fleet/testing/sample-forecast.ts';
import { renderHtml } from './html.ts';
import { findChromium, startChromium } from './testing/browser.ts';

const chromium = findChromium(process.env.REKINDLE_CHROMIUM);
const screens = [
  ['a desktop', { width: 1280, height: 900 }],
  ['a phone', { width: 390, height: 844 }],
] as const;

describe.skipIf(chromium === undefined)('the page in a browser (needs Chromium; REKINDLE_CHROMIUM names one)', () => {
  let folder: string;
  let browser: Browser;
  let page: Page;
  const troubles: string[] = [];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'rekindle-page-'));
    writeFileSync(join(folder, 'report.html'), renderHtml(sampleRun({ operations: 600 })));
    writeFileSync(join(folder, 'bench.html'), renderBench(sampleBench()));
    writeFileSync(join(folder, 'fleet.html'), renderFleet(sampleForecast()));
    browser = await startChromium(chromium ?? '');
    page = await open();
  }, 120_000);

  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true });
  });

  async function open(options: Parameters<Browser['newPage']>[0] = {}, hash = ''): Promise<Page> {
    const opened = await browser.newPage({ reducedMotion: 'reduce', ...options });
    opened.on('pageerror', ({ message }) => troubles.push(message));
    opened.on('console', (said) => said.type() === 'error' && troubles.push(said.text()));
    opened.on('request', (request) => request.url().startsWith('file:') || troubles.push(request.url()));
    await opened.goto(`file://${folder}/report.html${hash}`);
    return opened;
  }

  const openEverything = async (on: Page) => {
    await on.evaluate('for (const one of document.querySelectorAll("details")) one.open = true');
    for (const id of ['crash-kill-1', 'mount-table-growth', 'hung-daemon', 'back-off-growth']) {
      await on.evaluate(`document.getElementById('${id}').scrollIntoView()`);
      await on.locator(`#${id} canvas`).waitFor();
      await on.locator(`#${id} .filled`).first().waitFor();
    }
  };
  const focused = (on: Page) => on.evaluate<string>('document.activeElement?.querySelector("h4")?.textContent ?? ""');
  const shown = (on: Page) => on.locator('.scenario:visible h4').allTextContents();

  for (const [name, viewport] of screens) {
    for (const colorScheme of ['light', 'dark'] as const) {
      it(`has nothing that axe objects to, all opened, on ${name}, ${colorScheme}`, { timeout: 120_000 }, async () => {
        const own = await open({ viewport, colorScheme });
        await openEverything(own);
        await own.evaluate(axe.source);
        const { violations } = (await own.evaluate('axe.run()')) as AxeResults;
        const told = violations.map(
          ({ id, nodes }) =>
            `${id}: ${nodes
              .map(({ html }) => html.slice(0, 120))
              .slice(0, 3)
              .join(' | ')}`,
        );
        expect(told).toEqual([]);
        const wide = await own.evaluate<number>(
          'document.documentElement.scrollWidth - document.documentElement.clientWidth',
        );
        expect(wide).toBeLessThanOrEqual(0);
        await own.close();
      });
    }
  }

  it.each([
    ['bench', 'light'],
    ['bench', 'dark'],
    ['fleet', 'light'],
    ['fleet', 'dark'],
  ] as const)(
    'has nothing that axe objects to on the page of %s, %s',
    { timeout: 60_000 },
    async (name, colorScheme) => {
      const own = await browser.newPage({ colorScheme, viewport: { width: 390, height: 844 } });
      await own.goto(`file://${folder}/${name}.html`);
      await own.evaluate('document.querySelector("details").open = true');
      await own.evaluate(axe.source);
      const { violations } = (await own.evaluate('axe.run()')) as AxeResults;
      expect(violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)).toEqual([]);
      expect(await own.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(390);
      await own.close();
    },
  );

  it('opens the scenario that a link leads to, and draws it', async () => {
    const own = await open({}, '#daemon-stays-away');
    await own.locator('#daemon-stays-away canvas').waitFor();
    const colours = await own.evaluate<number>(`(() => {
      const canvas = document.querySelector('#daemon-stays-away canvas');
      const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
      return new Set(new Uint32Array(data.buffer)).size;
    })()`);
    expect(colours).toBeGreaterThan(20);
    await own.close();
  });

  it('goes from scenario to scenario by j and k, opens one by Enter, and finds what failed by f', async () => {
    await page.locator('body').click({ position: { x: 1, y: 1 } });
    await page.keyboard.press('j');
    expect(await focused(page)).toContain('the pod reads again after kill 1');
    await page.keyboard.press('j');
    await page.keyboard.press('k');
    expect(await focused(page)).toContain('the pod reads again after kill 1');
    await page.keyboard.press('Enter');
    await page.locator('#crash-kill-1 canvas').waitFor();
    await page.keyboard.press('f');
    expect(await focused(page)).toContain('three crashes leave the mount table');
  });

  it('searches by /, by words, by claim and by result', async () => {
    await page.keyboard.press('/');
    await page.keyboard.type('claim:C3 is:failed');
    expect(await shown(page)).toEqual([expect.stringContaining('three crashes')]);
    await page.keyboard.press('Escape');
    expect(await shown(page)).toHaveLength(10);
    await page.selectOption('#_claim', 'V3');
    expect(await shown(page)).toEqual([expect.stringContaining('fluid-fuse-0')]);
    await page.selectOption('#_claim', '');
    await page.uncheck('#_show-pass');
    expect(await shown(page)).toHaveLength(4);
    await page.check('#_show-pass');
  });

  it('says its keys by ?', async () => {
    await page.locator('body').click({ position: { x: 1, y: 1 } });
    await page.keyboard.press('?');
    expect(await page.locator('dialog').isVisible()).toBe(true);
    await page.keyboard.press('Escape');
    expect(await page.locator('dialog').isVisible()).toBe(false);
  });

  it('zooms by the keyboard and by its buttons', async () => {
    const picture = page.locator('#mount-table-growth');
    const patience = { timeout: 10_000 };
    const view = () => picture.locator('.shows').textContent();
    await page.evaluate('document.getElementById("mount-table-growth").scrollIntoView()');
    await picture.locator('canvas').waitFor();
    await picture.getByRole('button', { name: 'Whole scenario' }).click();
    const whole = '0.000 s to 4.106 s';
    await expect.poll(view, patience).toBe(whole);
    await picture.getByRole('button', { name: /crash/i }).click();
    await expect.poll(view, patience).not.toBe(whole);
    await picture.locator('.canvas-box').focus();
    await page.keyboard.press('0');
    await expect.poll(view, patience).toBe(whole);
    await page.keyboard.press('+');
    await expect.poll(view, patience).not.toBe(whole);
  });

  it('shows verdict, claims, results and phases without its script', async () => {
    const context = await browser.newContext({ javaScriptEnabled: false });
    const bare = await context.newPage();
    await bare.goto(`file://${folder}/report.html`);
    expect(await bare.locator('h1').textContent()).toBe('Not conformant');
    expect(await bare.locator('.matrix tbody tr').count()).toBeGreaterThan(8);
    await bare.locator('.scenario summary').first().click();
    expect(await bare.locator('.waterfall').first().isVisible()).toBe(true);
    expect(await bare.locator('#_search').isVisible()).toBe(false);
    await context.close();
  });

  it('asked for nothing from anywhere, and had no error', () => {
    expect(troubles).toEqual([]);
  });
});
