/**
 * Leaves steps out of a failing history, first many and then one by one, until each that is left is needed. `fails` gives how many of
 * the steps a failure needs, and undefined if there is none.
 */
export async function shrink<T>(
  history: readonly T[],
  fails: (history: readonly T[]) => Promise<number | undefined>,
): Promise<readonly T[]> {
  let current = history;
  for (let size = Math.ceil(current.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let isShorter = true; isShorter; ) {
      isShorter = false;
      for (let at = current.length - size; at >= 0; at -= size) {
        const shorter = current.filter((_, index) => index < at || index >= at + size);
        const needed = await fails(shorter);
        if (needed === undefined) continue;
        current = shorter.slice(0, needed);
        isShorter = true;
        at = Math.min(at, current.length);
      }
    }
  }
  return current;
}
