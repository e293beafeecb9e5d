/** Input of the program in the pod. */
export interface LookRequest {
  readonly kubeletRoot: string;
  /** Signed URLs of buckets, for HEAD requests. */
  readonly urls: readonly string[];
}

/** Output of the program in the pod, as JSON. */
export interface LookAnswer {
  readonly fuse: string;
  readonly kubelet: { readonly mountPoint: string; readonly shared: boolean };
  readonly stores: readonly ({ readonly status: number } | { readonly says: string })[];
}

/**
 * The program of a pod that inspects its node, for `node --eval`. It is sent as text, so it must not use anything outside of the
 * function. The pod sees the node's processes (hostPID), and process 1 gives access to the node's files and mounts.
 */
export async function look(request: LookRequest): Promise<void> {
  const { openSync, readFileSync } = await import('node:fs');
  const fuse = () => {
    try {
      openSync('/proc/1/root/dev/fuse', 'r+');
      return 'ok';
    } catch (error) {
      return String((error as { code?: string }).code);
    }
  };
  const kubelet = () => {
    // The mount that contains the directory has the longest mount point above it; of equal ones, it is the last.
    let best = { mountPoint: '', shared: false };
    for (const line of readFileSync('/proc/1/mountinfo', 'latin1').split('\n')) {
      const mountPoint = line.split(' ')[4] ?? '';
      const isAbove = `${request.kubeletRoot}/`.startsWith(mountPoint === '/' ? '/' : `${mountPoint}/`);
      if (!isAbove || mountPoint === '' || mountPoint.length < best.mountPoint.length) continue;
      best = { mountPoint, shared: (line.split(' - ')[0] ?? '').includes(' shared:') };
    }
    return best;
  };
  const stores: object[] = [];
  for (const url of request.urls) {
    try {
      const { status } = await fetch(url, { method: 'HEAD', redirect: 'manual', signal: AbortSignal.timeout(5000) });
      stores.push({ status });
    } catch (error) {
      const { message, cause } = error as Error & { cause?: { message?: string } };
      stores.push({ says: cause?.message || message });
    }
  }
  process.stdout.write(`${JSON.stringify({ fuse: fuse(), kubelet: kubelet(), stores })}\n`);
}
