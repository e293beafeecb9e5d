export interface CriLine {
  readonly stream: 'stdout' | 'stderr';
  readonly text: string;
}

/**
 * Reads lines of a container's log as container runtimes write it: `<RFC 3339 time> stdout F <text>`, where P instead of F marks a
 * part of a line whose rest follows. Whole lines come out; what is incomplete is kept for the next time.
 */
export function createCriReader(): (chunk: string) => CriLine[] {
  let rest = '';
  const parts = { stdout: '', stderr: '' };
  return (chunk) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    return lines.flatMap((line) => {
      const [, stream, tag, text = ''] = /^\S+ (stdout|stderr) ([FP])\S* ?(.*)$/s.exec(line) ?? [];
      if (stream !== 'stdout' && stream !== 'stderr') return [];
      const whole = parts[stream] + text;
      parts[stream] = tag === 'P' ? whole : '';
      return tag === 'P' ? [] : [{ stream, text: whole }];
    });
  };
}
