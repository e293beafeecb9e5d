/** What the suite said, by test. */
export interface SanityResults {
  readonly passed: number;
  readonly failed: readonly string[];
  /** Tests of the services in focus that did not run, by the reason that the suite gives. */
  readonly skipped: ReadonlyMap<string, readonly string[]>;
}

const testcase = /<testcase name="([^"]*)"[^>]*status="(\w+)"[^>]*>(.*?)<\/testcase>/gs;
/** Ginkgo writes this alone where a test is out of focus; a reason follows where the test skipped itself. */
const outOfFocus = ['skipped', 'pending'];

/** Reads the suite's JUnit report. Pure. */
export function readResults(xml: string): SanityResults {
  let passed = 0;
  const failed: string[] = [];
  const skipped = new Map<string, string[]>();
  for (const [, encoded = '', status, body = ''] of xml.matchAll(testcase)) {
    const name = decoded(encoded).replace(/^\[It\] /, '');
    if (!isTest(encoded)) {
      if (status === 'failed') failed.push(name);
      continue;
    }
    if (status === 'passed') passed++;
    // Pending: the suite itself does not run it for now.
    else if (status === 'skipped' || status === 'pending') {
      const said = decoded(/<skipped message="([^"]*)"/.exec(body)?.[1] ?? 'skipped');
      if (outOfFocus.includes(said)) continue;
      const reason = said.replace(/^skipped - /, '');
      skipped.set(reason, [...(skipped.get(reason) ?? []), name]);
    } else failed.push(name);
  }
  return { passed, failed, skipped };
}

/** The results as lines; the last is the summary. */
export function sayResults(what: string, { passed, failed, skipped }: SanityResults): string {
  const lines = [
    ...failed.map((name) => `failed: ${name}`),
    ...[...skipped].flatMap(([reason, names]) => [`skipped: ${reason}`, ...names.map((name) => `  ${name}`)]),
  ];
  const count = [...skipped.values()].flat().length;
  const summary = `csi-sanity, ${what}: ${passed} passed, ${failed.length} failed, ${count} skipped`;
  return [...lines, summary, ''].join('\n');
}

const isTest = (name: string) => name.startsWith('[It]');

function decoded(text: string): string {
  return text
    .replaceAll('&#34;', '"')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&#xA;', '\n')
    .replaceAll('&amp;', '&');
}
