import type { Exit } from './container.ts';

/** What happens to pods, as it happens. */
export type KubeletEvent =
  | {
      readonly event: 'restart-scheduled';
      readonly container: string;
      readonly delayMs: number;
      readonly restartCount: number;
    }
  | { readonly event: 'started'; readonly container: string; readonly pid: number; readonly restartCount: number }
  | { readonly event: 'exited'; readonly container: string; readonly pid: number; readonly exit: Exit }
  | { readonly event: 'publish'; readonly pod: string; readonly detail: string }
  | { readonly event: 'unpublish'; readonly pod: string; readonly detail: string }
  | { readonly event: 'pod-started' | 'pod-removed'; readonly pod: string };
