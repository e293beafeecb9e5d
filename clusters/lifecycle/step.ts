/** Does one step of a start, and tells when it begins and how long it took. */
export async function step<T>(onProgress: (line: string) => void, what: string, work: () => Promise<T>): Promise<T> {
  const began = performance.now();
  onProgress(what);
  const value = await work();
  onProgress(`${what}: done in ${((performance.now() - began) / 1000).toFixed(1)} s`);
  return value;
}
