import { z } from 'zod';
import { profileSchema } from './profile.ts';

/** The JSON Schema of a profile as people write it: what has a default may be left out. */
export function profileJsonSchema() {
  return { ...z.toJSONSchema(profileSchema, { io: 'input' }), title: 'Profile of Rekindle' };
}
