/** The decisions of the agent's log that become events. Without Zod, as the node program has them, too. */
export const agentDecisions = [
  'noticed',
  'standby-refused',
  'standby-differs',
  'failed-over',
  'skipped',
  'replaced',
  'recovered',
  'unproven',
  'failed',
  'passed',
] as const;
