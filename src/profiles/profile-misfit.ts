/** A field of the profile does not fit the cluster, which says nothing about the implementation. */
export class ProfileMisfit extends Error {
  /** `field`: its path in the profile. `found`: what was sought, and what was found instead. */
  constructor(field: string, found: string) {
    super(`the profile's ${field} does not fit: ${found}`);
  }
}
