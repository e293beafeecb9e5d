import type { Colour } from '../colour.ts';
import type { Finding } from './assess.ts';

const marks = { ok: ['✔', 'green'], note: ['!', 'yellow'], missing: ['✘', 'red'] } as const;

/** Formats findings as a table with marks, each remedy below its finding. */
export function formatFindings(findings: readonly Finding[], colour: Colour): string {
  const width = Math.max(...findings.map(({ what }) => what.length));
  return findings
    .flatMap(({ what, mark, says, remedy }) => {
      const [sign, format] = marks[mark];
      const line = `${colour(format, sign)} ${what.padEnd(width)}  ${says}`;
      return remedy === undefined ? [line] : [line, `  ${' '.repeat(width)}  ${colour('dim', `→ ${remedy}`)}`];
    })
    .map((line) => `${line}\n`)
    .join('');
}
