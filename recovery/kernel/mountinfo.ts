import type { DeviceId, Mount } from '../engine/model.ts';

/**
 * Parses the text of /proc/PID/mountinfo (`man 5 proc_pid_mountinfo`); a line that is not one is left out.
 *
 * Lines of one table share most of their options, so these are split once for each text that occurs.
 */
export function parseMountinfo(text: string): readonly Mount[] {
  const split = optionSplitter();
  const mounts: Mount[] = [];
  let start = 0;
  while (start < text.length) {
    let end = text.indexOf('\n', start);
    if (end === -1) end = text.length;
    const mount = parseLine(text.slice(start, end), split);
    if (mount !== undefined) mounts.push(mount);
    start = end + 1;
  }
  return mounts;
}

const device = /^\d+:\d+$/;
const number = /^\d+$/;

function parseLine(line: string, split: (options: string) => readonly string[]): Mount | undefined {
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

function optionSplitter(): (options: string) => readonly string[] {
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
