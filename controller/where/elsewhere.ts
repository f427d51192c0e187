// Whether a credential that is to end sits in containers that nobody manages: no proof speaks of these.
import { minPatternBytes } from '../../src/masking/min-pattern-bytes.ts'
import type { StagedCredential } from '../../src/store/secrets/staged-values.ts'
import type { FoundPlace } from '../../src/protocol/look.ts'
import { holdersIn, type HolderStore } from './holders.ts'
import type { WantedValue } from './prints.ts'
import { lookEverywhere, type WhereDeps } from './where.ts'

/** Containers that nobody manages, as `agent: container`. */
export interface SeenElsewhere {
  /** As an agent says that has got the credential. */
  readonly found: readonly string[]
  /** Of stacks, as such an agent says: they have it from somewhere else, such as a secret that somebody wrote. */
  readonly copied: readonly string[]
  /**
   * As an agent says that has not. It may say so of any value: it warns, and keeps no credential alive.
   */
  readonly claimed: readonly string[]
  /** Agents that have got the credential, and have not looked: each with why. What their machines run is not known. */
  readonly unanswered: readonly string[]
}

interface EndingCredential extends Pick<StagedCredential, 'values'> {
  readonly namespace: string
  /** By output, its secret, and the version that comes after the ending one. */
  readonly outputs: Readonly<Record<string, { readonly secret: string; readonly before: number }>>
  /** Drawn by the rotator, not written by a person. */
  readonly generated: boolean
}

export type LookElsewhere = (
  ending: EndingCredential,
  /** Values that stay valid are no sign. */
  kept: Pick<StagedCredential, 'values'> | undefined,
  signal: AbortSignal,
) => Promise<SeenElsewhere>

export const nothingSeen: SeenElsewhere = { found: [], copied: [], claimed: [], unanswered: [] }

const isUnmanaged = ({ managed }: FoundPlace): boolean => managed === false

/** By the proof no service has it from an output. One that has ended is in the proof too. */
const isCopy = ({ kind, managed, running }: FoundPlace): boolean =>
  kind === 'environment' && managed === true && running === true

const holdersOf = async (
  store: HolderStore,
  { namespace, outputs }: EndingCredential,
  output: string,
): Promise<ReadonlySet<string>> => {
  const made = outputs[output]
  const ref = { kind: 'StagelySecret' as const, namespace, name: made?.secret ?? '' }
  const secret = await store.get(ref)
  if (secret === undefined || made === undefined) return new Set()
  const older = (await store.versionsOf(secret.metadata.uid ?? ''))
    .map(({ version }) => version)
    .filter((version) => version < made.before)
  return (await holdersIn(store, secret))(Math.max(...older))
}

export const createLookElsewhere =
  (deps: WhereDeps & { readonly store: HolderStore }): LookElsewhere =>
  async (ending, kept, signal) => {
    const values: WantedValue[] = []
    for (const [output, text] of Object.entries(ending.values)) {
      const value = Buffer.from(text)
      if (output === 'username' || value.length < minPatternBytes) continue
      if (Object.values(kept?.values ?? {}).includes(text)) continue
      const holders = await holdersOf(deps.store, ending, output)
      values.push({ name: output, value, generated: ending.generated, holders })
    }
    if (values.length === 0) return nothingSeen
    const holders = new Set(values.flatMap((value) => [...value.holders]))
    const wanted = { containersOnly: true, values }
    const looks = await lookEverywhere(deps, ending.namespace, wanted, signal)
    const containersOf = (isAsked: (agent: string) => boolean, isMeant = isUnmanaged): string[] => {
      const containers = looks
        .filter(({ agent }) => isAsked(agent))
        .flatMap(({ agent, places }) =>
          places.filter(isMeant).map(({ container = '' }) => `${agent}: ${container}`),
        )
      return [...new Set(containers)].sort()
    }
    return {
      found: containersOf((agent) => holders.has(agent)),
      // What a person has chosen may be found anywhere.
      copied: ending.generated ? containersOf((agent) => holders.has(agent), isCopy) : [],
      claimed: containersOf((agent) => !holders.has(agent)),
      unanswered: looks
        .filter(({ agent, state }) => state === 'unknown' && holders.has(agent))
        .map(({ agent, message = '' }) => `agent "${agent}" (${message})`),
    }
  }
