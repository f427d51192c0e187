// The version of this program.
import packageJson from '../package.json' with { type: 'json' }

export const version: string = packageJson.version

/** The version for kubectl, which warns when a server's version is far from its own. */
export const gitVersion = `v1.32.0+stagely.${version}`
