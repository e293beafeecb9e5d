import type { DeviceId, Mount } from '../engine/model.ts';

/**
 * Parses the text of /proc/PID/mountinfo (`man 5 proc_pid_mountinfo`); a line that is not one is left out.
 *
 * Lines of one table share most of their options, so these are split once for each text that occurs.
 */
export function parseMountinfo(text: string): readonly Mount[] {
  const split = optionSplitter();
  return linesOf(text).flatMap((line) => parseLine(line, split) ?? []);
}

/** Parses one line of mountinfo; undefined if it is not one. */
export const parseMountLine = (line: string): Mount | undefined => parseLine(line, optionSplitter());

/** Whether nobody can write through a mount, because of its own options or those of its superblock. */
export const isReadOnly = ({ options, superOptions }: Pick<Mount, 'options' | 'superOptions'>): boolean =>
  options.includes('ro') || superOptions.includes('ro');

/** Parses one table again and again, as `parseMountinfo` does; a line that the last text had gives the object that it gave then. */
export function createMountinfoParser(): (text: string) => readonly Mount[] {
  const parsed = (line: string, split: Split) => ({ line, mount: parseLine(line, split) });
  let known: ReadonlyMap<string, ReturnType<typeof parsed>> = new Map();
  return (text) => {
    const split = optionSplitter();
    const lines = linesOf(text).map((line) => known.get(line) ?? parsed(owned(line), split));
    known = new Map(lines.map((each) => [each.line, each]));
    return lines.flatMap(({ mount }) => mount ?? []);
  };
}

function linesOf(text: string): readonly string[] {
  return text.split('\n');
}

/** A part of a string keeps the whole of it in memory; this does not. */
const owned = (part: string) => Buffer.from(part).toString();

const device = /^\d+:\d+$/;
const number = /^\d+$/;

function parseLine(line: string, split: Split): Mount | undefined {
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
    // A filesystem writes its own options; none does with an unescaped space, but nothing is lost if one did.
    superOptions: split(fields.slice(field + 3).join(' ')),
  };
}

function group(optional: string, from: number): number | undefined {
  const text = optional.slice(from);
  return number.test(text) ? Number(text) : undefined;
}

type Split = (options: string) => readonly string[];

function optionSplitter(): Split {
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

/** Resolves the kernel's `\ooo`: space, tab, newline, backslash, and in places `#` and `,`. */
function unescaped(field: string): string {
  if (!field.includes('\\')) return field;
  return field.replace(/\\([0-3][0-7]{2})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}
