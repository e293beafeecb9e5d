import type { Readable } from 'node:stream';

/** Calls back for each line of a stream that is a JSON object, and ignores other lines. */
export function onJsonLine(stream: Readable, onObject: (object: Readonly<Record<string, unknown>>) => void): void {
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const object = parseObject(line);
      if (object !== undefined) onObject(object);
    }
  });
}

function parseObject(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
