/*
 * node .ci/counts.js FILE: prints `passed failed skipped` of a report, and then one line for each skipped test. Understands
 * vitest's JSON and JUnit XML. Status 1 where the file is neither, or holds no test at all.
 */
import { readFileSync } from 'node:fs';

const entities = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function attribute(tag, name) {
  const value = new RegExp(`\\s${name}="([^"]*)"`).exec(tag)?.[1];
  return value?.replace(/&(amp|lt|gt|quot|apos|#10|#xA);/g, (_, entity) => entities[entity] ?? ' ');
}

/** Test cases as `{name, outcome, why}`; an error counts as failed. */
function ofJunit(xml) {
  return [...xml.matchAll(/<testcase\b([^>]*?)(?:\/>|>([\s\S]*?)<\/testcase>)/g)].map(([, tag, body = '']) => {
    const skipped = /<skipped\b[^>]*>/.exec(body)?.[0];
    const outcome = /<(failure|error)\b/.test(body) ? 'failed' : skipped ? 'skipped' : 'passed';
    return { name: attribute(tag, 'name'), outcome, why: skipped && attribute(skipped, 'message') };
  });
}

function ofVitest({ testResults }) {
  return testResults.flatMap(({ name, status, assertionResults }) => {
    const tests = assertionResults.map((test) => ({
      name: test.fullName,
      outcome: { passed: 'passed', failed: 'failed' }[test.status] ?? 'skipped',
    }));
    // A file that broke before its first test, or between them, is a failure of its own.
    const broke = status === 'failed' && !tests.some(({ outcome }) => outcome === 'failed');
    return broke ? [...tests, { name, outcome: 'failed' }] : tests;
  });
}

const text = readFileSync(process.argv[2], 'utf8');
const tests = text.startsWith('<') ? ofJunit(text) : ofVitest(JSON.parse(text));
const count = (outcome) => tests.filter((test) => test.outcome === outcome).length;
const skips = tests
  .filter(({ outcome }) => outcome === 'skipped')
  .map(({ name, why }) => (why ? `${name}: ${why}` : name));
process.stdout.write(
  `${count('passed')} ${count('failed')} ${count('skipped')}\n${skips.map((line) => `${line}\n`).join('')}`,
);
if (tests.length === 0) process.exitCode = 1;
