import { version } from '../src/kernel/version.ts'

/** The version for kubectl, which warns when a server's version is far from its own. */
export const gitVersion = `v1.32.0+stagely.${version}`
