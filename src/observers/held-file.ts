/**
 * Opens a file once and reads it repeatedly through that descriptor. It bypasses the kernel's cache (O_DIRECT), which would
 * answer for a dead daemon. Prints the result of each read: `ok`, `wrong`, or an errno. Runs until it is killed. Argument: the file.
 */
import { constants, openSync, readSync, writeSync } from 'node:fs';

const everyMs = 50;
const [file = ''] = process.argv.slice(2);
const descriptor = openSync(file, constants.O_RDONLY | constants.O_DIRECT);
const buffer = Buffer.alloc(1 << 16);
let first: string | undefined;

function read(): string {
  try {
    const text = buffer.subarray(0, readSync(descriptor, buffer, 0, buffer.length, 0)).toString('latin1');
    first ??= text;
    return text === first && text !== '' ? 'ok' : 'wrong';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'unknown';
  }
}

setInterval(() => writeSync(1, `${read()}\n`), everyMs);
