import { always, onSomeMachines } from '../../clusters/sandbox/capabilities.ts';
import { missingFor } from '../scenario/needs.ts';

/** Where a scenario with these tags can run today, in words. */
export function whereItRuns(tags: readonly string[]): string {
  const never = missingFor(tags, { capabilities: new Set([...always, ...onSomeMachines]) });
  if (never !== undefined) return `not in the sandbox: ${never}`;
  const sometimes = missingFor(tags, { capabilities: new Set(always) });
  const long = tags.includes('@long') ? ', only where @long is asked for' : '';
  return `${sometimes === undefined ? 'sandbox' : `sandbox; ${sometimes}`}${long}`;
}
