/** In the network namespace of the node program's pod, so that there is no file to be removed (`man 7 unix`, abstract). */
export const socketOf = (session: string): string => `\0rekindle-session-${session}`;

/** What a session that ended has said last, for those who come back to it. */
export const lastWordsOf = (session: string): string => `/tmp/rekindle-session-${session}.log`;

/** Exit status of a relay that has found no session. */
export const noSession = 3;
