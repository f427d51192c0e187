// Tests of what root alone may do: to mount, to give files away, to make networks. Whoever is not root has them skipped,
// and is told so at the end of the run. In CI a skipped test is a failure.
import { describe, it } from 'vitest'

const isRoot = process.getuid?.() === 0

export const describeAsRoot = describe.runIf(isRoot)
export const itAsRoot = it.runIf(isRoot)
