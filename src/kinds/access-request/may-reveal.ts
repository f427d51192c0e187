// Whether values may leave to whoever asks. Pure: the one place that decides it. See ADR 0086.
import type { AccessState } from './schema.ts'
import type { PolicyFacts } from './state.ts'

/** Who asks for values. */
export interface Reader {
  readonly kind: 'user' | 'machine'
  /** Id of the user or of the machine's token. */
  readonly id: string
  /** Of a machine: the name of its token. */
  readonly name: string
  /** By role: what counts where nothing is guarded. */
  readonly mayRead: boolean
  /** When the token of a machine was made (ms). */
  readonly since?: number | undefined
}

export interface ReadSecret {
  readonly uid: string
  /** All that guard it; empty: none does. */
  readonly policies: readonly Pick<PolicyFacts, 'machines' | 'changedAt'>[]
}

/** A request of a person, as it stands now. */
export interface Grant {
  /** Name of the AccessRequest. */
  readonly name: string
  /** Id of the person. */
  readonly requester: string
  readonly state: AccessState
  /** Uids. */
  readonly secrets: ReadonlySet<string>
}

type RevealVerdict =
  | {
      readonly may: true
      /** Names of the grants that are used. */ readonly uses: readonly string[]
    }
  | {
      readonly may: false
      /** `NoRight`: the role does not allow it, and a request would not help. */
      readonly why: 'NoRight' | 'RequestNeeded'
      /** Uids of what may not be read. */
      readonly refused: readonly string[]
    }

const usable: readonly AccessState[] = ['Active', 'Approved']

/** The grant that covers the secret: one that runs, before one that would begin to. */
const grantFor = (uid: string, reader: Reader, grants: readonly Grant[]): Grant | undefined =>
  usable
    .flatMap((state) => grants.filter((grant) => grant.state === state))
    .find(({ requester, secrets }) => requester === reader.id && secrets.has(uid))

/** A token of the same name that was made later is another token. */
const keepsRight = ({ name, since }: Reader, { policies }: ReadSecret): boolean =>
  policies.every(
    ({ machines, changedAt }) =>
      since !== undefined && machines.includes(name) && since <= changedAt,
  )

type ReadableBy = 'role' | { readonly grant: string } | undefined

const readableBy = (secret: ReadSecret, reader: Reader, grants: readonly Grant[]): ReadableBy => {
  const isGuarded = secret.policies.length > 0
  if (reader.mayRead && (!isGuarded || (reader.kind === 'machine' && keepsRight(reader, secret))))
    return 'role'
  if (reader.kind === 'machine') return undefined
  const grant = grantFor(secret.uid, reader, grants)
  return grant && { grant: grant.name }
}

/** All or nothing: one secret that may not be read refuses the rest. */
export const mayReveal = (
  reader: Reader,
  secrets: readonly ReadSecret[],
  grants: readonly Grant[],
): RevealVerdict => {
  const refused: ReadSecret[] = []
  const uses = new Set<string>()
  for (const secret of secrets) {
    const by = readableBy(secret, reader, grants)
    if (by === undefined) refused.push(secret)
    else if (by !== 'role') uses.add(by.grant)
  }
  if (refused.length === 0) return { may: true, uses: [...uses] }
  const isGuarded = refused.every(({ policies }) => policies.length > 0)
  const why = isGuarded ? 'RequestNeeded' : 'NoRight'
  return { may: false, why, refused: refused.map(({ uid }) => uid) }
}
