/** All that a command may know of its surroundings; made in `src/cli/main.ts`, or by a test. */
export interface Environment {
  /** Absolute path that relative paths of the user start from. */
  readonly cwd: string;
  readonly stdout: TextStream;
  readonly stderr: TextStream;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborted by the first Ctrl-C: stop, clean up, return. */
  readonly signal: AbortSignal;
}

/** As much of a `tty.WriteStream` as the commands use. */
export interface TextStream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}
