import packageJson from '../package.json' with { type: 'json' };

/** Of all of Rekindle, as package.json has it. */
export const { version } = packageJson;
