// The version that this program says it has.
import packageJson from '../package.json' with { type: 'json' }

export const version: string = packageJson.version

/** A version far from kubectl's makes kubectl warn, so ours rides on one that it knows. */
export const gitVersion = `v1.32.0+stagely.${version}`
