// Texts that an agent tells and the database keeps.
import { z } from 'zod'

/** The database takes neither a NUL nor half of a surrogate pair in a text. */
const isStorable = (text: string): boolean => !/\0|\p{Surrogate}/u.test(text)

export const storable = (most: number): z.ZodString =>
  z.string().max(most).refine(isStorable, 'must hold no NUL and no half of a surrogate pair')

/** What an agent tells of its machine. */
export const told = storable(256)
