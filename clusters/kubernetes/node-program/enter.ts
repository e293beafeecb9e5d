/**
 * Runs a program in another process's mount namespace: `node enter.cjs PID SCRIPT ARGUMENT...`. The script is one file of
 * CommonJS, which is read before; it may use synchronous `fs` only, because the thread pool stays behind in this one.
 */
import { closeSync, openSync, readFileSync } from 'node:fs';
import { Module } from 'node:module';
import { loadSyscalls } from '../../../recovery/linux/load-syscalls.ts';
import { CLONE_FS, CLONE_NEWNS } from '../../../recovery/linux/syscalls.ts';

/** What `require` does with the text of a file; there is no other way that does not read the file itself. */
interface Compiler {
  _compile(source: string, file: string): void;
}

const [pid = '', script = '', ...args] = process.argv.slice(2);
const source = readFileSync(script, 'utf8');
const namespace = openSync(`/proc/${pid}/ns/mnt`, 'r');
const sys = loadSyscalls();
// Threads share their root and working directory at first, and setns refuses that.
for (const step of [() => sys.unshare(CLONE_FS), () => sys.setns(namespace, CLONE_NEWNS)]) {
  const done = step();
  if (done.ok) continue;
  process.stderr.write(`the mount namespace of process ${pid} cannot be entered: ${done.failure.errno}\n`);
  process.exit(3);
}
closeSync(namespace);
process.argv = [process.execPath, script, ...args];
const program: unknown = new Module(script);
(program as Compiler)._compile(source, script);
