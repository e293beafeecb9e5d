/**
 * Runs a program in another process's mount namespace: `node enter.cjs PID SCRIPT ARGUMENT...`. The script is a single CommonJS file,
 * which is read before entering. It may use only synchronous `fs`, because the thread pool stays in this namespace.
 */
import { closeSync, openSync, readFileSync } from 'node:fs';
import { Module } from 'node:module';
import { loadSyscalls } from '../../../recovery/linux/load-syscalls.ts';
import { CLONE_FS, CLONE_NEWNS } from '../../../recovery/linux/syscalls.ts';

/** Evaluates source text as `require` does. Every public function would read the file itself. */
interface Compiler {
  _compile(source: string, file: string): void;
}

const [pid = '', script = '', ...args] = process.argv.slice(2);
const source = readFileSync(script, 'utf8');
const namespace = openSync(`/proc/${pid}/ns/mnt`, 'r');
const sys = loadSyscalls();
// setns fails while threads share their root and working directory.
for (const step of [() => sys.unshare(CLONE_FS), () => sys.setns(namespace, CLONE_NEWNS)]) {
  const result = step();
  if (result.ok) continue;
  process.stderr.write(`the mount namespace of process ${pid} cannot be entered: ${result.failure.errno}\n`);
  process.exit(3);
}
closeSync(namespace);
process.argv = [process.execPath, script, ...args];
const program: unknown = new Module(script);
(program as Compiler)._compile(source, script);
