/** A small strict reader of OpenMetrics text 1.0, for the tests of what is written: throws where the specification is broken. */

export interface OpenMetricsFamily {
  readonly name: string;
  readonly type: string;
  readonly unit?: string;
  readonly help?: string;
  readonly samples: readonly OpenMetricsSample[];
}

export interface OpenMetricsSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** What the name of a sample may have after the name of its family. */
const suffixes: Readonly<Record<string, readonly string[]>> = {
  gauge: [''],
  counter: ['_total', '_created'],
  info: ['_info'],
  stateset: [''],
  unknown: [''],
};

type Open = OpenMetricsFamily & { unit?: string; help?: string; readonly samples: OpenMetricsSample[] };

export function readOpenMetrics(text: string): readonly OpenMetricsFamily[] {
  if (!text.endsWith('\n# EOF\n')) throw new Error('the last line is not # EOF');
  const families = new Map<string, Open>();
  const seen = new Set<string>();
  let open: Open | undefined;
  for (const line of text.split('\n').slice(0, -2)) {
    const [, keyword, name = '', rest = ''] = /^# (TYPE|UNIT|HELP) ([a-zA-Z_:][\w:]*) (.*)$/.exec(line) ?? [];
    if (keyword === 'TYPE') {
      if (!(rest in suffixes)) throw new Error(`no type: ${line}`);
      if (families.has(name)) throw new Error(`${name} comes twice, or not in one piece`);
      open = { name, type: rest, samples: [] };
      families.set(name, open);
    } else if (keyword !== undefined) {
      if (open?.name !== name || open.samples.length > 0) throw new Error(`not between TYPE and samples: ${line}`);
      if (keyword === 'UNIT' && !name.endsWith(`_${rest}`)) throw new Error(`the name has no such unit: ${line}`);
      if (keyword === 'UNIT') open.unit = rest;
      else open.help = unescapeText(rest, line);
    } else {
      const sample = readSample(line);
      if (open === undefined || !suffixes[open.type]?.some((suffix) => sample.name === `${open?.name}${suffix}`))
        throw new Error(`a sample of another family: ${line}`);
      const identity = JSON.stringify([sample.name, Object.entries(sample.labels).toSorted()]);
      if (seen.has(identity)) throw new Error(`a sample twice: ${line}`);
      seen.add(identity);
      checkValue(open, sample, line);
      open.samples.push(sample);
    }
  }
  return [...families.values()];
}

function checkValue({ name, type }: Open, { labels, value }: OpenMetricsSample, line: string): void {
  const isRight =
    type === 'info'
      ? value === 1
      : type === 'stateset'
        ? [0, 1].includes(value) && name in labels
        : type === 'counter'
          ? value >= 0
          : true;
  if (!isRight) throw new Error(`not a value of a ${type}: ${line}`);
}

function readSample(line: string): OpenMetricsSample {
  const [, name = '', inner, number = ''] =
    /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (-?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?|[+-]Inf|NaN)$/i.exec(line) ?? [];
  if (name === '') throw new Error(`no sample: ${line}`);
  const labels: Record<string, string> = {};
  let left = inner ?? '';
  while (left !== '') {
    const [all = '', key = '', value = ''] = /^([a-zA-Z_]\w*)="((?:[^"\\\n]|\\.)*)"(?:,(?=.)|$)/.exec(left) ?? [];
    if (all === '' || key in labels) throw new Error(`no labels, or one twice: ${line}`);
    labels[key] = unescapeText(value, line);
    left = left.slice(all.length);
  }
  return { name, labels, value: Number(number.replace('Inf', 'Infinity')) };
}

function unescapeText(text: string, line: string): string {
  if (/\\(?![\\n"])/.test(text.replaceAll('\\\\', ''))) throw new Error(`an escape that is none: ${line}`);
  return text.replace(/\\([\\n"])/g, (_, letter) => (letter === 'n' ? '\n' : letter));
}
