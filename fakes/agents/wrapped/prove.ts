import { prove as proveReal } from '../../../recovery/engine/prove.ts';

export * from '../../../recovery/engine/prove.ts';

/** Proves every site without reading. */
export const prove: typeof proveReal = (parts, ...rest) =>
  proveReal({ ...parts, kernel: { read: async ({ device }) => ({ ok: true, value: { device } }) } }, ...rest);
