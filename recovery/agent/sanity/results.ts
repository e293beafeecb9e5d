/** The results of the suite. */
export interface SanityResults {
  readonly passed: number;
  readonly failed: readonly string[];
  /** Tests of the services in focus that did not run, keyed by the suite's reason. */
  readonly skipped: ReadonlyMap<string, readonly string[]>;
}

const testcase = /<testcase name="([^"]*)"[^>]*status="(\w+)"[^>]*>(.*?)<\/testcase>/gs;
/** Ginkgo's message for tests out of focus. If a test skipped itself, a reason follows. */
const outOfFocus = ['skipped', 'pending'];

/** Parses the suite's JUnit report. Pure. */
export function parseResults(xml: string): SanityResults {
  let passed = 0;
  const failed: string[] = [];
  const skipped = new Map<string, string[]>();
  for (const [, encoded = '', status, body = ''] of xml.matchAll(testcase)) {
    const name = decodeEntities(encoded).replace(/^\[It\] /, '');
    if (!isTest(encoded)) {
      if (status === 'failed') failed.push(name);
      continue;
    }
    if (status === 'passed') passed++;
    // Pending tests are disabled in the suite.
    else if (status === 'skipped' || status === 'pending') {
      const message = decodeEntities(/<skipped message="([^"]*)"/.exec(body)?.[1] ?? 'skipped');
      if (outOfFocus.includes(message)) continue;
      const reason = message.replace(/^skipped - /, '');
      skipped.set(reason, [...(skipped.get(reason) ?? []), name]);
    } else failed.push(name);
  }
  return { passed, failed, skipped };
}

/** Formats the results as lines, the summary last. */
export function formatResults(title: string, { passed, failed, skipped }: SanityResults): string {
  const lines = [
    ...failed.map((name) => `failed: ${name}`),
    ...[...skipped].flatMap(([reason, names]) => [`skipped: ${reason}`, ...names.map((name) => `  ${name}`)]),
  ];
  const count = [...skipped.values()].flat().length;
  const summary = `csi-sanity, ${title}: ${passed} passed, ${failed.length} failed, ${count} skipped`;
  return [...lines, summary, ''].join('\n');
}

const isTest = (name: string) => name.startsWith('[It]');

function decodeEntities(text: string): string {
  return text
    .replaceAll('&#34;', '"')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&#xA;', '\n')
    .replaceAll('&amp;', '&');
}
