/** The code goes with the message to other processes. */
export const foreignAgentFailed = 'FOREIGN_AGENT_FAILED';

/** A program in the place of Rekindle's agent did not come to serve, which is no fault of ours. */
export class ForeignAgentFailed extends Error {
  readonly code = foreignAgentFailed;

  /** `logFile`: what it printed. */
  constructor({ cause, logFile }: { readonly cause: unknown; readonly logFile: string }) {
    const lines = (cause instanceof Error ? cause.message : String(cause)).split('\n');
    const said = lines.find((line) => /error|cannot|no such|not found/i.test(line)) ?? lines[0];
    super(`the program in the agent's place does not start: ${said?.trim()} (all that it printed: ${logFile})`, {
      cause,
    });
  }
}
