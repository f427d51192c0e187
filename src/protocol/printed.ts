// What the containers of a stack have printed: the agent counts the values of its secrets in the last lines of each log.
// Names of keys and numbers come back, and no line of a log.
import * as z from 'zod'
import { faultText, machineText, toldCount } from '../resources/told.ts'

/** Lines of each container that a count may ask for. */
export const mostCountedLines = 100_000
/** Bytes of logs that a count reads. */
export const mostCountedBytes = 256 * 1024 * 1024

export const countOrder = z.object({
  type: z.literal('countPrinted'),
  /** Of this asking; the answer names it. */
  id: z.string().max(128),
  stageletUid: z.string().max(64),
  /** So many last lines of each container. */
  tail: z.int().min(1),
})

/** What one service has printed. */
const printedService = z.object({
  name: machineText,
  /** Lines that were read. */
  lines: toldCount,
  /** Keys whose values were printed, in any form, and how often. */
  hits: z.array(z.object({ key: machineText, count: toldCount })).max(10_000),
  /** Keys that the service sees, whose values are too short to be found. */
  unmaskable: z.array(machineText).max(10_000),
  /** Why a log of it could not be read. */
  fault: faultText.optional(),
})

export const printedAnswer = z.object({
  services: z.array(printedService).max(2_000),
  /** False: a bound of bytes or of time ended it early. */
  complete: z.boolean(),
})

export type CountOrder = z.infer<typeof countOrder>
export type PrintedService = z.infer<typeof printedService>
export type PrintedAnswer = z.infer<typeof printedAnswer>
