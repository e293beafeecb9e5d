import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseScenarios } from '../gherkin.ts';
import { parseProfile } from '../profiles/load-profile.ts';
import { unpromisedIn } from './needs.ts';

const root = join(import.meta.dirname, '../..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');

/** The profiles with which `.ci/run` judges the small drivers. */
const runs = [...read('.ci/run').matchAll(/^driver ([\w-]+) \w+(?: '[^']+' (?:'([^']+)'|(\S+)))?$/gm)];
const profiles = runs.map(([, driver, quoted, word]) => {
  const file = `fakes/csi-drivers/${driver}.yaml`;
  const edited = execFileSync('sed', [quoted ?? word ?? '', file], { cwd: root, encoding: 'utf8' });
  return parseProfile(edited, file);
});
const feature = '13-other-drivers.feature';

test.each(parseScenarios(read(`features/${feature}`), feature).map((scenario) => [scenario.name, scenario] as const))(
  '.ci/run judges a small driver by "%s"',
  (_name, { tags }) => {
    const reasons = profiles.map((profile) => unpromisedIn({ tags, steps: [] }, profile));
    expect(reasons).toContain(undefined);
  },
);
