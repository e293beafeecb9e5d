/**
 * Searches a node for the credentials that its pods have from Secrets: the arguments and the environment of every process, and the
 * files of the directories to which programs write, of the node and of each container. Prints one JSON line with the number of
 * credentials, processes and files, and what was found. Arguments: the kubelet's directory, from which the credentials are read, so
 * that they do not become arguments of a process themselves; other directories to search.
 */
import { type Dirent, globSync, readdirSync, readFileSync, readlinkSync, statSync, writeSync } from 'node:fs';

const [kubeletRoot = '', ...directories] = process.argv.slice(2);
const isSecretVolume = (path: string) => path.includes('/volumes/kubernetes.io~secret/');
const credentials = globSync(`${kubeletRoot}/pods/*/volumes/kubernetes.io~secret/*/accessKeySecret`).map((path) =>
  readFileSync(path, 'utf8').trim(),
);
const secrets = [...new Set(credentials)].filter((secret) => secret !== '');
const processes = readdirSync('/proc').filter((name) => /^\d+$/.test(name));

/** Returns an empty string if the process or file is gone, or cannot be read. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** MinIO gets its root key from its environment. It checks the key, and is not a consumer of the dataset. */
const isStore = (pid: string) =>
  /\bminio\b/.test(read(`/proc/${pid}/cmdline`)) && read(`/proc/${pid}/environ`).includes('MINIO_ROOT_PASSWORD=');

const consumers = processes.filter((pid) => !isStore(pid));

function holds(path: string): boolean {
  try {
    const content = readFileSync(path);
    return secrets.some((secret) => content.includes(secret));
  } catch {
    return false;
  }
}

const inProcesses = consumers.flatMap((pid) =>
  ['cmdline', 'environ']
    .filter((file) => holds(`/proc/${pid}/${file}`))
    .map((file) => `${file} of process ${pid} (${read(`/proc/${pid}/comm`).trim()})`),
);

const toSearch =
  directories.length > 0 ? directories : ['/tmp', '/var/tmp', '/dev/shm', '/run', '/var/run', '/var/log'];
/** Larger files, deeper directories and the packages of a checkout are no hiding places of a credential that leaked. */
const mostBytes = 1 << 20;
const deepest = 5;
let files = 0;
/** Device and inode of each: several roots show the node's directories. */
const searched = new Set<string>();

/** The files below a directory that hold a credential; other file systems, which may hang, are not entered. */
function search(directory: string, device: number, depth = 0): readonly string[] {
  let entries: readonly Dirent[] = [];
  try {
    const { dev, ino } = statSync(directory);
    const id = `${dev}:${ino}`;
    if (dev !== device || searched.has(id)) return [];
    searched.add(id);
    entries = readdirSync(directory, { withFileTypes: true });
  } catch {
    return [];
  }
  return entries.flatMap((entry) => {
    const path = `${directory}/${entry.name}`;
    if (entry.isDirectory())
      return depth === deepest || entry.name === 'node_modules' ? [] : search(path, device, depth + 1);
    if (!entry.isFile() || isSecretVolume(path) || size(path) > mostBytes) return [];
    files += 1;
    return holds(path) ? [`file ${path}`] : [];
  });
}

function size(path: string): number {
  try {
    return statSync(path).size;
  } catch {
    return 0;
  }
}

/** Device of a directory on which no FUSE mount can be: undefined if there is none. */
function deviceOf(directory: string): number | undefined {
  try {
    return statSync(directory).dev;
  } catch {
    return undefined;
  }
}

/** One process of each root directory. */
const roots = new Map(
  consumers.flatMap((pid) => {
    try {
      return [
        [`${readlinkSync(`/proc/${pid}/ns/mnt`)} ${readlinkSync(`/proc/${pid}/root`)}`, `/proc/${pid}/root`] as const,
      ];
    } catch {
      return [];
    }
  }),
);
const inFiles = ['', ...roots.values()].flatMap((root) =>
  toSearch.flatMap((directory) => {
    const device = deviceOf(`${root}${directory}`);
    return device === undefined ? [] : search(`${root}${directory}`, device);
  }),
);
const found = [...inProcesses, ...inFiles];
writeSync(
  1,
  `${JSON.stringify({ event: 'searched', secrets: secrets.length, processes: consumers.length, files, found })}\n`,
);
