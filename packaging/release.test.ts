import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { lastRelease } from '../clusters/kubernetes/installations.ts';
import { parseChangelog, problemsOf } from './release.ts';
import { workflow } from './testing/github-schemas.ts';

const read = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');
const { version } = JSON.parse(read('package.json'));

const log = `# Changelog

## [Unreleased]

### Added

- d

## [0.2.0] - 2026-12-01

- c

## [0.1.0] - 2026-11-30

- a
- b
`;

test('a change log has sections by release', () => {
  expect(parseChangelog(log)).toEqual([
    { title: 'Unreleased', text: '### Added\n\n- d' },
    { title: '0.2.0', text: '- c' },
    { title: '0.1.0', text: '- a\n- b' },
  ]);
});

test.each<[string, Parameters<typeof problemsOf>[0], readonly string[]]>([
  ['a release', { version: '0.2.0', tag: 'v0.2.0', last: '0.1.0' }, []],
  ['a version in the making', { version: '0.3.0', last: '0.2.0' }, []],
  ['a tag of another version', { version: '0.2.0', tag: 'v0.2.1', last: '0.1.0' }, ['the tag is v0.2.1, but']],
  ['a release without notes', { version: '0.3.0', tag: 'v0.3.0', last: '0.2.0' }, ['no section [0.3.0]']],
  ['an upgrade from an older release', { version: '0.3.0', last: '0.1.0' }, ['upgrades are tried from 0.1.0']],
])('%s', (_, release, expected) => {
  const problems = problemsOf(release, parseChangelog(log));
  expect(problems).toEqual(expected.map((each) => expect.stringContaining(each)));
});

test('nothing keeps this version from being released', () => {
  expect(problemsOf({ version, last: lastRelease.version }, parseChangelog(read('CHANGELOG.md')))).toEqual([]);
});

test('the workflow that releases is one by the syntax of workflows', () => {
  expect(workflow.safeParse(parse(read('.github/workflows/release.yaml'))).error?.issues ?? []).toEqual([]);
});

test('the package can be published, and has what its pages name', () => {
  const { private: isPrivate, files, description, keywords, license } = JSON.parse(read('package.json'));
  expect([isPrivate, typeof description, license]).toEqual([undefined, 'string', 'Apache-2.0']);
  expect(keywords).toContain('fuse');
  expect(files).toEqual(
    expect.arrayContaining(['docs/**/*.md', 'recovery/deploy/chart', 'CHANGELOG.md', 'SECURITY.md']),
  );
});
