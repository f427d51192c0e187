// Texts from a machine: what an agent, its engine and its containers say of themselves. Whoever holds the machine
// chooses them. They are stored and shown, so they are made harmless once, where they come in: no reader has to.
import * as z from 'zod'
import { oneLine, printable } from '../kernel/printable.ts'
import { isStorable } from '../kernel/storable.ts'
import { limits } from './limits.ts'

/** What a text in a message is. A test walks the messages of agents, and refuses one that does not say it. */
export const natures = z.registry<{
  readonly nature:
    | 'told' // is shown to people
    | 'opaque' // is compared, and shown to nobody
    | 'output' // what a container has printed, byte by byte
}>()

/** Escapes make a text longer. Postgres stores no half of a surrogate pair. */
const harmless = (escape: (text: string) => string, most: number) => (text: string) =>
  escape(text)
    .slice(0, most)
    .replace(/[\uD800-\uDBFF]$/, '')

/** One line. What would begin another one, or control the reader's terminal, is escaped: `\n`, `\x1b`. */
export const told = (most: number): z.ZodString =>
  z.string().max(most).overwrite(harmless(oneLine, most)).register(natures, { nature: 'told' })

/** Lines, such as the last ones of a log. A reader shows them set in, by `setIn`. */
export const toldLines = (most: number): z.ZodString =>
  z.string().max(most).overwrite(harmless(printable, most)).register(natures, { nature: 'told' })

/** An id, a key or a token: it is compared with one that is known. */
export const opaque = (most: number): z.ZodString =>
  z
    .string()
    .max(most)
    .refine(isStorable, 'must hold no NUL and no half of a surrogate pair')
    .register(natures, { nature: 'opaque' })

/** What a container has printed. */
export const output = (most: number): z.ZodString =>
  z.string().max(most).register(natures, { nature: 'output' })

/** A text that describes the machine. */
export const machineText = told(limits.name)

/** A fault, as one sentence. */
export const faultText = told(2_000)

/** What an engine or an agent has counted: the engine's numbers have 32 bits. */
export const toldCount = z.int().min(0).max(2_147_483_647)
