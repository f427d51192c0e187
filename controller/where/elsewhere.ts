// Whether a credential that is to end sits in containers that nobody manages: no proof speaks of these.
import { minPatternBytes } from '../../src/masking/min-pattern-bytes.ts'
import type { StagedCredential } from '../../src/store/secrets/staged-values.ts'
import { lookEverywhere, type WhereDeps } from './where.ts'

/** Containers, as `agent: container`. */
export type LookElsewhere = (
  namespace: string,
  credential: Pick<StagedCredential, 'values'>,
  /** Values that stay valid are no sign. */
  kept: Pick<StagedCredential, 'values'> | undefined,
  signal: AbortSignal,
) => Promise<string[]>

export const createLookElsewhere =
  (deps: WhereDeps): LookElsewhere =>
  async (namespace, { values }, kept, signal) => {
    const ending = Object.entries(values).filter(
      ([output, value]) =>
        output !== 'username' &&
        Buffer.byteLength(value) >= minPatternBytes &&
        !Object.values(kept?.values ?? {}).includes(value),
    )
    if (ending.length === 0) return []
    const wanted = {
      containersOnly: true,
      values: ending.map(([name, value]) => ({
        name,
        value: Buffer.from(value).toString('base64'),
      })),
    }
    const looks = await lookEverywhere(deps, namespace, wanted, signal)
    const found = looks.flatMap(({ agent, places }) =>
      places
        .filter(({ managed }) => managed === false)
        .map(({ container = '' }) => `${agent}: ${container}`),
    )
    return [...new Set(found)].sort()
  }
