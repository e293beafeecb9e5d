import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';

const places = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/usr/bin/google-chrome-stable',
];

/** Path of Chromium, undefined if it is not installed. `wanted` (`REKINDLE_CHROMIUM`) comes first. */
export function findChromium(wanted?: string): string | undefined {
  return [...(wanted ? [wanted] : []), ...places].find((path) => existsSync(path));
}

/** Starts Chromium headless. The caller closes it. */
export function startChromium(executablePath: string) {
  return chromium.launch({ executablePath, args: ['--no-sandbox'] });
}
