/** Works on one key at a time, once for all that was asked since it last began. */
export interface KeyQueue extends AsyncDisposable {
  add(key: string): void;
}

const retryAfterMs = 500;

/** `work` says `again` to be called for the key after a while; so does an error, which `failed` gets. */
export function startKeyQueue(
  work: (key: string) => Promise<'done' | 'again'>,
  failed: (key: string, error: unknown) => void,
): KeyQueue {
  const pending = new Set<string>();
  const retries = new Set<NodeJS.Timeout>();
  let stopped = false;
  let running: Promise<void> | undefined;

  const retry = (key: string): void => {
    const timer = setTimeout(() => {
      retries.delete(timer);
      add(key);
    }, retryAfterMs);
    retries.add(timer);
  };
  const drain = async (): Promise<void> => {
    for (const key of pending) {
      if (stopped) return;
      pending.delete(key);
      try {
        if ((await work(key)) === 'again') retry(key);
      } catch (error) {
        if (stopped) return;
        failed(key, error);
        retry(key);
      }
    }
  };
  const add = (key: string): void => {
    if (stopped) return;
    pending.add(key);
    running ??= drain().finally(() => {
      running = undefined;
      const [left] = pending;
      if (left !== undefined) add(left);
    });
  };
  return {
    add,
    async [Symbol.asyncDispose]() {
      stopped = true;
      for (const timer of retries) clearTimeout(timer);
      await running;
    },
  };
}
