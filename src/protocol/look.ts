// A look: an agent searches its machine for values that the controller names, and answers with places. The order is
// sealed, since it may hold values. The answer holds names, paths and numbers of lines: no value, and no line.
import * as z from 'zod'
import { faultText, machineText, told } from '../resources/told.ts'

/** An agent ends a look after this time, and says what it has not reached. */
export const lookLimitMs = 20_000

/** The controller waits for an answer so long. */
export const lookPatienceMs = 25_000

/** The last lines of each container's log. */
export const lookTail = 10_000

export const mostValues = 50
/** Of one answer. */
export const mostPlaces = 1_000
export const morePlaces = (count: number): string => `${count} more places were found`

export const placeKinds = [
  'environment',
  'command',
  'label',
  'mount',
  'file',
  'image',
  'log',
] as const
export type PlaceKind = (typeof placeKinds)[number]

/** base64url: 32 bytes of a key, 16 of a MAC. */
const bytesText = z.string().max(64)
const valueName = z.string().max(64)

/**
 * `name` stands for a value in the answer. Values come only to an agent that has got this very version of the secret. Of
 * others it gets fingerprints (src/scan), under a key that is made for this order alone: it finds them, and learns none.
 */
export const lookOrder = z.object({
  type: z.literal('lookFor'),
  /** Of this asking; the answer names it. */
  id: z.string().max(128),
  /** base64. */
  values: z.array(z.object({ name: valueName, value: z.string() })).max(mostValues),
  key: bytesText,
  prints: z
    .array(
      z.object({
        name: valueName,
        filter: z.int().min(0),
        length: z.int().min(0),
        mac: bytesText,
      }),
    )
    .max(mostValues),
  /** Only containers: no files below the allowed folders, no images, no logs. */
  containersOnly: z.boolean(),
})

const foundPlace = z.object({
  kind: z.enum(placeKinds),
  /** Name of the container, or of the image. Absent for a file that no container mounts. */
  container: machineText.optional(),
  /** `project/service` of the container, by its labels. */
  service: machineText.optional(),
  /** The container belongs to a stack of this agent. */
  managed: z.boolean().optional(),
  /** The container has not ended. */
  running: z.boolean().optional(),
  /** When the container was created: seconds since the epoch, of RFC 3339. */
  since: z.int().min(0).max(253_402_300_799).optional(),
  /** Name of the variable or label; `path:line` of a file. */
  at: told(4_200).optional(),
  values: z.array(machineText).max(mostValues),
})

export const lookAnswer = z.object({
  places: z.array(foundPlace).max(mostPlaces),
  /** What was not looked through, and why. */
  unread: z.array(faultText).max(50),
})

export type LookOrder = z.infer<typeof lookOrder>
export type FoundPlace = z.infer<typeof foundPlace>
export type LookAnswer = z.infer<typeof lookAnswer>

/** The answer as the schema takes it: what is beyond its bounds is told in `unread`. */
export const boundedAnswer = ({ places, unread }: LookAnswer): LookAnswer => {
  const surplus = places.length - mostPlaces
  const more = surplus > 0 ? [morePlaces(surplus)] : []
  return { places: places.slice(0, mostPlaces), unread: [...more, ...unread].slice(0, 50) }
}
