/** What a command may know about its process. Created in `src/cli/main.ts` or by a test. */
export interface Environment {
  /** Absolute base of the user's relative paths. */
  readonly cwd: string;
  readonly stdout: TextStream;
  readonly stderr: TextStream;
  /** Absent in tests of commands that read nothing. */
  readonly stdin?: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborted by the first Ctrl-C: stop, clean up, return. */
  readonly signal: AbortSignal;
}

/** The part of a `tty.WriteStream` that the commands use. */
export interface TextStream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}
