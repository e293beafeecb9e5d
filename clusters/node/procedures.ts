import type { ContainerRef, ProbeOptions, StoreTrouble } from '../cluster.ts';

/** What can be asked of a node wherever it is: argument and result of each. */
export interface NodeProcedures {
  /** Ends what was started with this id: a program, a probe, a hold, a fault. */
  end(argument: { readonly id: number }): Promise<void>;
  probe(argument: { readonly options: ProbeOptions; readonly id: number }): Promise<void>;
  kill(argument: { readonly target: ContainerRef; readonly signal: NodeJS.Signals }): Promise<number>;
  abortConnection(argument: { readonly daemon: ContainerRef }): Promise<number>;
  killWhenReady(argument: { readonly daemon: ContainerRef; readonly delayMs: number }): Promise<number>;
  outOfMemory(argument: { readonly target: ContainerRef }): Promise<number>;
  mountTable(argument: { readonly target?: ContainerRef }): Promise<readonly string[]>;
  /** Process 1 of a container, as the node numbers it. */
  pid(argument: { readonly target: ContainerRef }): Promise<number>;
  /** The endpoint of a way to the store, which is closed when ended with this id. */
  openFaultyStore(argument: { readonly id: number }): Promise<string>;
  /** Until ended with this id. */
  storeTrouble(argument: {
    readonly store: number;
    readonly trouble: StoreTrouble;
    readonly id: number;
  }): Promise<void>;
}
