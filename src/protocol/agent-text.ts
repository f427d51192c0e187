// Texts by which agent and controller know each other. Nobody is shown them.
import { opaque } from '../resources/told.ts'

/** `2.0`: a version of the protocol. */
export const protocolText = opaque(32)

/** 32 bytes of a public key in base64url, with room for padding. */
export const rawKey = opaque(64)
