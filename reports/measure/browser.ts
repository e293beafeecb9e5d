import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';

const places = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/usr/bin/google-chrome-stable',
];

/** Where Chromium is on this machine; undefined where it is not. `wanted` (`REKINDLE_CHROMIUM`) comes first. */
export function findChromium(wanted?: string): string | undefined {
  return [...(wanted ? [wanted] : []), ...places].find((path) => existsSync(path));
}

/** Starts it headless; who starts it closes it. */
export function startChromium(executablePath: string) {
  return chromium.launch({ executablePath, args: ['--no-sandbox'] });
}
