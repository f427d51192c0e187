// A leak test of a stagelet: the agent counts which secrets its containers have printed, and sends the
// counts. An order on the stream asks for it, and names of keys and numbers come back by POST: no line
// of a log leaves the machine.
import * as z from 'zod'
import { faultText, machineText, toldCount } from '../resources/told.ts'

/** Lines of each container that a test may ask for. */
export const maxLeakTestLines = 100_000

/** The agent tells that it is still counting at least this often. */
export const leakTestPulseMs = 2_000

/** An agent that is not heard of for this long gives no answer any more. */
export const leakTestPatienceMs = 30_000

/** Asks the agent to count printed values in the last lines of each container of a stagelet. */
export const leakTestOrder = z.object({
  type: z.literal('leakTest'),
  id: z.string().max(128),
  stageletUid: z.string().max(64),
  tail: z.int().min(1),
})

const keys = z.array(machineText).max(10_000)

/** What one service has printed. */
const leakTestService = z.object({
  name: machineText,
  /** Lines that were read. */
  lines: toldCount,
  /** Keys whose values were printed, in any form, and how often. */
  hits: z.array(z.object({ key: machineText, count: toldCount })).max(10_000),
  /** Keys that the service sees, whose values are too short to be found. */
  unmaskable: keys,
  /** Why a log of it could not be read. */
  fault: faultText.optional(),
})

/** POST leak-tests: how far the agent is, or the end. Sending the end twice changes nothing. */
export const leakTestReport = z.object({
  id: z.uuid(),
  /** Lines that were read so far. */
  lines: toldCount,
  end: z
    .object({
      services: z.array(leakTestService).max(2_000),
      /** False: a bound of bytes or of time ended it early. */
      complete: z.boolean(),
      /** Why nothing was counted. */
      error: faultText.optional(),
    })
    .optional(),
})

/** `ended`: nobody waits for this test any more. */
export const leakTestResponse = z.object({ state: z.enum(['taken', 'ended']) })

export type LeakTestOrder = z.infer<typeof leakTestOrder>
export type LeakTestService = z.infer<typeof leakTestService>
export type LeakTestReport = z.infer<typeof leakTestReport>
