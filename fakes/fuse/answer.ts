/** What a filesystem operation came to. `errno` by name: `ENOENT`, `EIO` ... */
export type Answer<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly errno: string };

export function answered<T>(value: T): Answer<T> {
  return { ok: true, value };
}

export function refused(errno: string): Answer<never> {
  return { ok: false, errno };
}
