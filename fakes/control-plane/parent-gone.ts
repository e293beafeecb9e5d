import { fstatSync } from 'node:fs';

const pollEveryMs = 1000;

/** Calls back once when standard input (a pipe from the parent) closes or the parent is another one. */
export function onParentGone(callback: () => void): Disposable {
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid !== parent) callback();
  }, pollEveryMs);
  timer.unref();
  const input = fstatSync(0, { throwIfNoEntry: false });
  const piped = input?.isFIFO() || input?.isSocket();
  if (piped) {
    process.stdin.once('close', callback);
    process.stdin.once('end', callback);
    process.stdin.resume();
  }
  return {
    [Symbol.dispose]() {
      clearInterval(timer);
      if (piped) process.stdin.destroy();
    },
  };
}
