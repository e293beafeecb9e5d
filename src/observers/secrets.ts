/**
 * Searches the arguments and the environment of every process for the credentials that this node's pods have from Secrets. Prints one
 * JSON line with the number of credentials, the number of processes, and what was found. Argument: the kubelet's directory, from
 * which the credentials are read, so that they do not become arguments of a process themselves.
 */
import { globSync, readdirSync, readFileSync, writeSync } from 'node:fs';

const [kubeletRoot = ''] = process.argv.slice(2);
const credentials = globSync(`${kubeletRoot}/pods/*/volumes/kubernetes.io~secret/*/accessKeySecret`).map((path) =>
  readFileSync(path, 'utf8').trim(),
);
const secrets = [...new Set(credentials)].filter((secret) => secret !== '');
const processes = readdirSync('/proc').filter((name) => /^\d+$/.test(name));

/** Returns an empty string if the process has ended. */
function read(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}

/** MinIO gets its root key from its environment. It checks the key, and is not a consumer of the dataset. */
const isStore = (pid: string) =>
  /\bminio\b/.test(read(pid, 'cmdline')) && read(pid, 'environ').includes('MINIO_ROOT_PASSWORD=');

const consumers = processes.filter((pid) => !isStore(pid));
const found = consumers.flatMap((pid) =>
  ['cmdline', 'environ']
    .filter((file) => secrets.some((secret) => read(pid, file).includes(secret)))
    .map((file) => `${file} of process ${pid} (${read(pid, 'comm').trim()})`),
);
writeSync(1, `${JSON.stringify({ event: 'searched', secrets: secrets.length, processes: consumers.length, found })}\n`);
