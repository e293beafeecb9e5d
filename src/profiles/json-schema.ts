import { z } from 'zod';
import { profileSchema } from './profile.ts';

/** The JSON Schema of a profile as people write it: fields with a default are optional. */
export function profileJsonSchema() {
  return { ...z.toJSONSchema(profileSchema, { io: 'input' }), title: 'Profile of Rekindle' };
}
