import type { Colour } from '../colour.ts';
import { formatNs } from '../timeline/duration.ts';
import { count } from '../timeline/verdict.ts';
import { type ClusterStatus, isReadable, type MountStatus, type VolumeOfNode } from './cluster-status.ts';

export interface RenderOptions {
  readonly colour: Colour;
  /** Columns of the terminal. */
  readonly width: number;
}

/** The states of mounts in the words of users. */
const stateNames: Readonly<Record<MountStatus['state'], string>> = {
  healthy: 'reads',
  replaced: 'unproven',
  dead: 'dead',
  hung: 'hung',
  kept: 'waits',
  orphaned: 'dead',
  'half-done': 'dead',
  gone: 'unmounted',
  unknown: 'unknown',
  contested: 'unclear',
  unfound: 'not found',
};

const worstFirst = (mount: MountStatus) => (isReadable(mount) ? 1 : 0);

/** A table of all mounts by node and volume, what is unhealthy first, with a summary above. */
export function renderStatus(status: ClusterStatus, options: RenderOptions): string {
  const { colour } = options;
  const now = Date.parse(status.takenAt);
  const lines = [summarize(status, colour), ''];
  for (const { node, error } of status.unreachable)
    lines.push(...wrapped(`node ${node}: its agent could not be asked: ${error}`, '  ', options, 'red'));
  for (const { node, agent, volumes } of status.nodes) {
    const { version, kernelTier, recovery, problems } = agent;
    lines.push(
      colour('bold', `node ${node}`) +
        `  agent ${version}, recovery ${recovery ? 'on' : 'off'}, kernel tier ${kernelTier}`,
    );
    for (const problem of problems) lines.push(...wrapped(problem, '  ', options, 'yellow'));
    if (volumes.length === 0) lines.push('  no volumes');
    for (const volume of volumes) lines.push(...renderVolume(volume, now, options));
    lines.push('');
  }
  return `${lines.join('\n').trimEnd()}\n`;
}

function summarize({ nodes, unreachable }: ClusterStatus, colour: Colour): string {
  const mounts = nodes.flatMap(({ volumes }) => volumes.flatMap((volume) => volume.mounts));
  const broken = mounts.filter((mount) => !isReadable(mount));
  const pods = new Set(broken.map(({ namespace, pod }) => `${namespace}/${pod}`)).size;
  const asked = nodes.length + unreachable.length;
  const scope = `${count(mounts.length, 'mount')} on ${count(nodes.length, 'node')}${asked === nodes.length ? '' : ` of ${asked}`}`;
  if (broken.length === 0 && unreachable.length > 0)
    return `${colour('yellow', '?')} ${scope}, all of which can be read; the agents of the other nodes did not answer`;
  if (broken.length === 0) return `${colour('green', '✔')} ${scope}, all of which can be read`;
  return `${colour('red', '✘')} ${scope}: ${count(broken.length, 'mount')} of ${count(pods, 'pod')} cannot be read`;
}

function renderVolume({ name, dataset, daemons, mounts }: VolumeOfNode, now: number, options: RenderOptions): string[] {
  const { colour } = options;
  const of = dataset === undefined ? '' : `, dataset ${dataset.namespace}/${dataset.name}`;
  const lines = wrapped(`volume ${name}${of}`, '  ', options, 'bold');
  for (const { path, state, since, errno } of daemons) {
    const answer = errno === undefined ? state : `${state} (${errno})`;
    const text = `daemon ${answer} for ${age(since, now)}: ${path}`;
    lines.push(...wrapped(text, '    ', options, state === 'live' ? 'green' : 'red'));
  }
  if (mounts.length === 0) return [...lines, '    no pod of this node mounts it'];
  const sorted = mounts.toSorted((a, b) => worstFirst(a) - worstFirst(b));
  const rows = sorted.map((mount) => ({ mount, cells: cellsOf(mount, now) }));
  const widths = columnWidths([headings, ...rows.map(({ cells }) => cells)], options.width - 4);
  const line = (cells: readonly string[], paint: (text: string, column: number) => string) =>
    `    ${cells.map((cell, column) => paint(padOrShorten(cell, widths[column] ?? 0, column), column)).join('  ')}`.trimEnd();
  lines.push(
    colour(
      'dim',
      line(headings, (text) => text),
    ),
  );
  for (const { mount, cells } of rows) {
    lines.push(
      line(cells, (text, column) => (column === 2 ? colour(isReadable(mount) ? 'green' : 'red', text) : text)),
    );
    const { reason, detail } = mount;
    if (reason !== undefined || detail !== undefined)
      lines.push(
        ...wrapped([reason, detail].filter((text) => text !== undefined).join(': '), '      ', options, 'yellow'),
      );
  }
  return lines;
}

const headings = ['POD', 'CONTAINER', 'STATE', 'SINCE', 'LAST RECOVERY', 'PATH'];

function cellsOf(mount: MountStatus, now: number): readonly string[] {
  const { namespace, pod, container, path, state, since, lastRecovery } = mount;
  const recovery =
    lastRecovery === undefined ? '-' : `${age(lastRecovery.at, now)} ago, ${formatNs(lastRecovery.outageMs * 1e6)}`;
  const name = namespace === '' ? pod : `${namespace}/${pod}`;
  return [
    name,
    container ?? '(node)',
    stateNames[state],
    age(since, now),
    recovery,
    container === undefined ? 'target path' : path,
  ];
}

/** A mount in sentences, for the story of its pod. */
export function renderMount(mount: MountStatus, now: number, options: RenderOptions): readonly string[] {
  const { container, path, state, since, lastRecovery, reason, detail } = mount;
  const place = container === undefined ? `target path ${path}` : `container ${container} at ${path}`;
  const recovered =
    lastRecovery === undefined
      ? ''
      : `, last recovered ${age(lastRecovery.at, now)} ago after ${formatNs(lastRecovery.outageMs * 1e6)}`;
  const text = `${place}: ${stateNames[state]} for ${age(since, now)}${recovered}`;
  const why = [reason, detail].filter((each) => each !== undefined).join(': ');
  return [
    ...wrapped(text, '  ', options, isReadable(mount) ? 'green' : 'red'),
    ...(why === '' ? [] : wrapped(why, '    ', options, 'yellow')),
  ];
}

/** The widths of columns that together fit; those of names give way, the widest first. */
function columnWidths(rows: readonly (readonly string[])[], available: number): readonly number[] {
  const widths = headings.map((_, column) => Math.max(...rows.map((cells) => cells[column]?.length ?? 0)));
  const total = () => widths.reduce((sum, width) => sum + width + 2, -2);
  const flexible = [0, 1, 5];
  while (total() > available) {
    const widest = flexible.reduce((a, b) => ((widths[b] ?? 0) > (widths[a] ?? 0) ? b : a));
    if ((widths[widest] ?? 0) <= 8) break;
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
  return widths;
}

/** Pads a text, or shortens it in the middle, as names differ at both ends. */
function padOrShorten(text: string, width: number, column: number): string {
  if (text.length <= width) return column === headings.length - 1 ? text : text.padEnd(width);
  const head = Math.ceil((width - 1) / 2);
  return `${text.slice(0, head)}…${text.slice(text.length - (width - 1 - head))}`;
}

/** Breaks a text into indented lines. Each line is painted on its own, so that pagers keep the colour. */
export function wrapped(
  text: string,
  indent: string,
  { colour, width }: RenderOptions,
  format: Parameters<Colour>[0],
): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const hanging = lines.length === 0 ? indent : `${indent}  `;
    if (line !== '' && hanging.length + line.length + 1 + word.length > width) {
      lines.push(hanging + colour(format, line));
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  lines.push((lines.length === 0 ? indent : `${indent}  `) + colour(format, line));
  return lines;
}

/** How long ago, with one unit, as kubectl prints ages: `12s`, `5m`, `3h`, `2d`. */
export function age(time: string, now: number): string {
  const seconds = Math.max(0, Math.floor((now - Date.parse(time)) / 1000));
  if (seconds < 120) return `${seconds}s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)}m`;
  return seconds < 172_800 ? `${Math.floor(seconds / 3600)}h` : `${Math.floor(seconds / 86_400)}d`;
}
