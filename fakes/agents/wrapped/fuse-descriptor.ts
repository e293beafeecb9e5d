import {
  requestResend as realResend,
  takeoverUnsupported as realSupport,
} from '../../../recovery/linux/fuse-descriptor.ts';

export * from '../../../recovery/linux/fuse-descriptor.ts';

const variant = new URL(import.meta.url).search.slice(1);

/** `loses`: reports success and asks the kernel nothing. */
export const requestResend: typeof realResend = (fd) =>
  variant === 'loses' ? { ok: true, value: undefined } : realResend(fd);

/** `old`: as on the last kernel without it. */
export const takeoverUnsupported: typeof realSupport = (release) => realSupport(variant === 'old' ? '6.8.0' : release);
