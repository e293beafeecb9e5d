import type { Readable } from 'node:stream';

/** Splits text that arrives in chunks. Returns the lines that are complete, without their ends. */
export function lineSplitter(): (chunk: string) => readonly string[] {
  let rest = '';
  return (chunk) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    return lines;
  };
}

/** Calls back for each line of a stream, without its line end. The last line may lack one. */
export function onLines(stream: Readable, line: (text: string) => void): void {
  const split = lineSplitter();
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    for (const text of split(chunk)) line(text);
  });
  stream.on('end', () => {
    const [rest = ''] = split('\n');
    if (rest !== '') line(rest);
  });
}

/** Parses a line of structured output. Undefined if the line is something else. */
export function parseLine(text: string): Readonly<Record<string, unknown>> | undefined {
  if (!text.startsWith('{')) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Calls back for each line of a stream that is a JSON object, and ignores other lines. */
export function onJsonLine(stream: Readable, onObject: (object: Readonly<Record<string, unknown>>) => void): void {
  onLines(stream, (text) => {
    const object = parseLine(text);
    if (object) onObject(object);
  });
}
