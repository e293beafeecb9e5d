/** An abstract socket (`man 7 unix`) in the network namespace of the node program's pod, which leaves no file behind. */
export const sessionSocket = (session: string): string => `\0rekindle-session-${session}`;

/** The output of a session's process, for relays that find the session gone. */
export const sessionLog = (session: string): string => `/tmp/rekindle-session-${session}.log`;

/** Exit status of a relay that finds no session. */
export const noSession = 3;

/** The last line of a harness that closes the session. */
export const farewell = '"farewell"';

/** How often each end acknowledges the lines that it has received. */
export const acknowledgeEveryMs = 2_000;

/** A connection without any message from the node for this long is replaced. */
export const silenceMs = 20_000;

/** How long the harness tries to reconnect. A kubelet or an API server has restarted by then. */
export const reconnectMs = 120_000;

/** How long a session waits for the harness: longer than the harness tries. */
export const graceMs = 150_000;
