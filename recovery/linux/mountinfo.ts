import type { DeviceId, Mount } from '../engine/model.ts';

/**
 * Parses the text of /proc/PID/mountinfo (`man 5 proc_pid_mountinfo`), without lines that are malformed. Mounts with the same
 * option text share one array.
 */
export function parseMountinfo(text: string): readonly Mount[] {
  const split = optionSplitter();
  return linesOf(text).flatMap((line) => parseLine(line, split) ?? []);
}

/** Parses one line of mountinfo; undefined if it is malformed. */
export const parseMountLine = (line: string): Mount | undefined => parseLine(line, optionSplitter());

/** Whether nobody can write through a mount, because of its own options or those of its superblock. */
export const isReadOnly = ({ options, superOptions }: Pick<Mount, 'options' | 'superOptions'>): boolean =>
  options.includes('ro') || superOptions.includes('ro');

/** A parser for successive texts of one table. A line that was in the last text yields the same object again. */
export function createMountinfoParser(): (text: string) => readonly Mount[] {
  const parse = (line: string, split: SplitOptions) => ({ line, mount: parseLine(line, split) });
  let known: ReadonlyMap<string, ReturnType<typeof parse>> = new Map();
  return (text) => {
    const split = optionSplitter();
    const lines = linesOf(text).map((line) => known.get(line) ?? parse(copied(line), split));
    known = new Map(lines.map((entry) => [entry.line, entry]));
    return lines.flatMap(({ mount }) => mount ?? []);
  };
}

function linesOf(text: string): readonly string[] {
  return text.split('\n');
}

/** Copies a string, because a substring keeps the whole text in memory. */
const copied = (text: string) => Buffer.from(text).toString();

const device = /^\d+:\d+$/;
const number = /^\d+$/;

function parseLine(line: string, split: SplitOptions): Mount | undefined {
  const fields = line.split(' ');
  const [id, parentId, dev, root, mountPoint, options] = fields;
  if (id === undefined || !number.test(id) || parentId === undefined || !number.test(parentId)) return undefined;
  if (dev === undefined || !device.test(dev) || root === undefined || mountPoint === undefined) return undefined;
  if (options === undefined || options === '') return undefined;

  let field = 6;
  let shared: number | undefined;
  let master: number | undefined;
  for (; fields[field] !== '-'; field++) {
    const optional = fields[field];
    if (optional === undefined) return undefined;
    if (optional.startsWith('shared:')) shared = group(optional, 7);
    else if (optional.startsWith('master:')) master = group(optional, 7);
  }
  const fstype = fields[field + 1];
  const mountSource = fields[field + 2];
  if (fstype === undefined || fstype === '' || mountSource === undefined) return undefined;

  return {
    id: Number(id),
    parentId: Number(parentId),
    device: dev as DeviceId,
    root: unescaped(root),
    mountPoint: unescaped(mountPoint),
    options: split(options),
    ...(shared === undefined ? {} : { shared }),
    ...(master === undefined ? {} : { master }),
    fstype: unescaped(fstype),
    mountSource: unescaped(mountSource),
    // Each filesystem prints its own options. None is known to print an unescaped space, but it would be preserved.
    superOptions: split(fields.slice(field + 3).join(' ')),
  };
}

function group(optional: string, from: number): number | undefined {
  const text = optional.slice(from);
  return number.test(text) ? Number(text) : undefined;
}

type SplitOptions = (options: string) => readonly string[];

function optionSplitter(): SplitOptions {
  const seen = new Map<string, readonly string[]>();
  return (options) => {
    let split = seen.get(options);
    if (split === undefined) {
      split = options === '' ? [] : options.split(',').map(unescaped);
      seen.set(options, split);
    }
    return split;
  };
}

/** Resolves the kernel's octal escapes: of space, tab, newline and backslash, in some fields of `#` and `,` too. */
function unescaped(field: string): string {
  if (!field.includes('\\')) return field;
  return field.replace(/\\([0-3][0-7]{2})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}
