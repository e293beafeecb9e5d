import { claims } from './timeline/claims.ts';

/** The claim ids among a scenario's tags, in their order, once each: `['@C2', '@sandbox', '@C3']` → `['C2', 'C3']`. */
export function claimsFor(tags: readonly string[]): string[] {
  const ids = tags.map((tag) => tag.replace(/^@/, '')).filter((id) => Object.hasOwn(claims, id));
  return [...new Set(ids)];
}
