import { escapeXml } from './junit.ts';

interface SimulationSummary {
  readonly name: string;
  readonly histories: number;
  readonly milliseconds: number;
  readonly failures: readonly { readonly name: string; readonly message: string; readonly text: string }[];
}

/** A simulation as JUnit XML: one test case for all histories that passed, and one for each that failed. */
export function simulationAsJunit({ name, histories, milliseconds, failures }: SimulationSummary): string {
  const seconds = (milliseconds / 1000).toFixed(3);
  const cases = [
    `<testcase classname="simulate" name="${escapeXml(`${histories - failures.length} ${name}`)}" time="${seconds}"/>`,
    ...failures.map(
      (each) =>
        `<testcase classname="simulate" name="${escapeXml(each.name)}" time="0.000"><failure message="${escapeXml(each.message)}">${escapeXml(each.text)}</failure></testcase>`,
    ),
  ];
  const counts = `tests="${cases.length}" failures="${failures.length}" errors="0"`;
  return `<?xml version="1.0" encoding="UTF-8"?>
<testsuites ${counts} time="${seconds}">
<testsuite name="simulate" ${counts} skipped="0" time="${seconds}">
${cases.join('\n')}
</testsuite>
</testsuites>
`;
}
