/** How often each end tells what it has. */
export const acknowledgeEveryMs = 2_000;

/** After so long without anything from the node a connection is given up for another one. */
export const silenceMs = 20_000;

/** How long the harness tries to reach the node again: a kubelet or an API server is back by then. */
export const reconnectMs = 120_000;

/** How long a session of the node waits for the harness; longer than that one tries. */
export const graceMs = 150_000;

/** The last line of a harness that goes in good order. */
export const farewell = '"farewell"';
