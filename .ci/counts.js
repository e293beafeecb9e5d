/*
 * node .ci/counts.js FILE: prints `passed failed skipped` of a report, and then a line for each test that did not pass: its outcome,
 * its name, and why. With --files: only the files of the failed tests. Understands vitest's JSON and JUnit XML. Status 1 if the file
 * is neither, or contains no test at all.
 */
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';

const entities = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function attribute(tag, name) {
  const value = new RegExp(`\\s${name}="([^"]*)"`).exec(tag)?.[1];
  return value?.replace(/&(amp|lt|gt|quot|apos|#10|#xA);/g, (_, entity) => entities[entity] ?? ' ');
}

/** Test cases as `{name, outcome, why}`; an error counts as failed. */
function ofJunit(xml) {
  return [...xml.matchAll(/<testcase\b([^>]*?)(?:\/>|>([\s\S]*?)<\/testcase>)/g)].map(([, tag, body = '']) => {
    const skipped = /<skipped\b[^>]*>/.exec(body)?.[0];
    const failed = /<(failure|error)\b[^>]*>/.exec(body)?.[0];
    const why = attribute(failed ?? skipped ?? '', 'message');
    return { name: attribute(tag, 'name'), outcome: failed ? 'failed' : skipped ? 'skipped' : 'passed', why };
  });
}

function ofVitest({ testResults }) {
  return testResults.flatMap(({ name, status, message, assertionResults }) => {
    const file = relative('.', name);
    const tests = assertionResults.map((test) => {
      const outcome = { passed: 'passed', failed: 'failed' }[test.status] ?? 'skipped';
      const title = outcome === 'failed' ? `${file}: ${test.fullName}` : test.fullName;
      return { name: title, outcome, why: test.failureMessages?.[0], file };
    });
    // A file that broke before its first test, or between them, counts as one failed test.
    const broke = status === 'failed' && !tests.some(({ outcome }) => outcome === 'failed');
    return broke ? [...tests, { name: file, outcome: 'failed', why: message, file }] : tests;
  });
}

/** The first line that is not empty, without colours. */
function firstLine(text) {
  return stripVTControlCharacters(text).trim().split('\n', 1)[0].slice(0, 300);
}

const [path, filesOnly] = process.argv.slice(2);
const text = readFileSync(path, 'utf8');
const tests = text.startsWith('<') ? ofJunit(text) : ofVitest(JSON.parse(text));
const count = (wanted) => tests.filter(({ outcome }) => outcome === wanted).length;
const lines = filesOnly
  ? new Set(tests.filter(({ outcome }) => outcome === 'failed').map(({ file }) => file))
  : [
      `${count('passed')} ${count('failed')} ${count('skipped')}`,
      ...tests
        .filter(({ outcome }) => outcome !== 'passed')
        .map(({ name, outcome, why }) => `${outcome} ${name}${why ? `: ${firstLine(why)}` : ''}`),
    ];
process.stdout.write([...lines].map((line) => `${line}\n`).join(''));
if (tests.length === 0) process.exitCode = 1;
