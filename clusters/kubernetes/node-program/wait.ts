/** Process 1 of the node program's pod: does nothing until it is told to end. */
const idle = setInterval(() => {}, 2 ** 30);
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => clearInterval(idle));
