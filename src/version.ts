import packageJson from '../package.json' with { type: 'json' };

/** Version of Rekindle, from package.json. */
export const { version } = packageJson;
