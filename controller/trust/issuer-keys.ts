// The public keys of issuers, as their discovery documents name them. Kept for an hour; an unknown key has them read anew,
// once a minute. All is asked through the gate.
import { createLocalJWKSet, errors, type LocalJWKSet } from 'jose'
import type { Clock } from '../../src/kernel/clock.ts'
import { messageOf } from '../../src/kernel/errors.ts'
import { isRecord } from '../../src/kernel/record.ts'
import { publicKeysIn, type TrustedIssuerSpec } from '../../src/kinds/trusted-issuer/schema.ts'
import { parseAnswer } from '../egress/answers.ts'
import type { Egress } from '../egress/gate.ts'

/** Keys are read anew after this time, so that one that the issuer has dropped counts no more. */
const keptMs = 3_600_000
/** How often an unknown key, or a fault, has them read. */
const againMs = 60_000
const afterFaultMs = 10_000
const mostIssuers = 500

/** The keys of an issuer cannot be had. */
export class IssuerFault extends Error {
  override readonly name = 'IssuerFault'
}

interface Entry {
  keys: LocalJWKSet | undefined
  /** When the keys were asked for. */
  readAt: number
  /** When anything was asked for. */
  triedAt: number
  fault: IssuerFault
  reading: Promise<void> | undefined
}

const keySetOf = (jwks: unknown): LocalJWKSet => createLocalJWKSet({ keys: publicKeysIn(jwks) })

export interface IssuerKeys {
  /** Runs `verify` with the keys, and once more with newer ones where it knows no key. IssuerFault where there are none. */
  use<T>(spec: TrustedIssuerSpec, verify: (keys: LocalJWKSet) => Promise<T>): Promise<T>
}

export const createIssuerKeys = (deps: {
  readonly egress: Pick<Egress, 'call'>
  readonly clock: Pick<Clock, 'monotonic'>
}): IssuerKeys => {
  const { egress, clock } = deps
  const entries = new Map<string, Entry>()

  const get = async (url: string, ca: string | undefined): Promise<unknown> => {
    const { status, text } = await egress.call({ url, ca, headers: { accept: 'application/json' } })
    if (status !== 200) throw new IssuerFault(`${url} answers with ${status}`)
    return parseAnswer(text)
  }

  const read = async ({ issuer, caBundle }: TrustedIssuerSpec): Promise<LocalJWKSet> => {
    const base = issuer.replace(/\/$/, '')
    const found = await get(`${base}/.well-known/openid-configuration`, caBundle)
    const { issuer: named, jwks_uri: at } = isRecord(found) ? found : {}
    if (named !== issuer) throw new IssuerFault('its discovery document is of another issuer')
    if (typeof at !== 'string') throw new IssuerFault('its discovery document names no jwks_uri')
    return keySetOf(await get(at, caBundle))
  }

  /** Reads the keys, unless that was tried within this time. Keys that are there stay where it fails. */
  const refresh = (entry: Entry, spec: TrustedIssuerSpec, everyMs: number): Promise<void> => {
    const now = clock.monotonic()
    const work = async (): Promise<void> => {
      try {
        entry.keys = await read(spec)
        entry.readAt = now
      } catch (error) {
        entry.fault = error instanceof IssuerFault ? error : new IssuerFault(messageOf(error))
      } finally {
        entry.reading = undefined
      }
    }
    if (entry.reading === undefined && now - entry.triedAt < everyMs) return Promise.resolve()
    entry.triedAt = now
    return (entry.reading ??= work())
  }

  const entryOf = (place: string): Entry => {
    const entry = entries.get(place) ?? {
      keys: undefined,
      readAt: -Infinity,
      triedAt: -Infinity,
      fault: new IssuerFault('the keys were not read yet'),
      reading: undefined,
    }
    entries.delete(place)
    entries.set(place, entry)
    const [oldest] = entries.keys()
    if (entries.size > mostIssuers && oldest !== undefined) entries.delete(oldest)
    return entry
  }

  return {
    use: async (spec, verify) => {
      if (spec.jwks !== undefined) return verify(keySetOf(JSON.parse(spec.jwks)))
      // Not by the name alone: another team says by its own certificates who the issuer is.
      const entry = entryOf(JSON.stringify([spec.issuer, spec.caBundle]))
      const isOld = (): boolean => clock.monotonic() - entry.readAt >= keptMs
      if (isOld()) await refresh(entry, spec, afterFaultMs)
      const { keys } = entry
      if (keys === undefined || isOld()) throw entry.fault
      try {
        return await verify(keys)
      } catch (error) {
        if (!(error instanceof errors.JWKSNoMatchingKey)) throw error
        await refresh(entry, spec, againMs)
        if (entry.keys === undefined || entry.keys === keys) throw error
        return verify(entry.keys)
      }
    },
  }
}
