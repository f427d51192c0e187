// Text from an agent that is stored in the database.
import * as z from 'zod'

/** Postgres stores neither a NUL nor a lone surrogate. */
const isStorable = (text: string): boolean => !/\0|\p{Surrogate}/u.test(text)

export const storable = (most: number): z.ZodString =>
  z.string().max(most).refine(isStorable, 'must hold no NUL and no half of a surrogate pair')

/** A text that describes the agent's machine. */
export const machineText = storable(256)

/** `2.0`: a version of the protocol. */
export const protocolText = z.string().max(32)

/** 32 bytes of a public key in base64url, with room for padding. */
export const rawKey = z.string().max(64)
