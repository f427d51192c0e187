// Decodes a request with reports of stagelets one by one, so that a malformed one does not hold up the others.
import type * as z from 'zod'
import { append } from '../../../src/kernel/append.ts'
import { mapYielding } from '../../../src/kernel/async/map-yielding.ts'
import type { Logger } from '../../../src/kernel/log.ts'
import { decodeReport } from '../../../src/protocol/fit-report.ts'
import type { ReportRequest, reportEnvelope } from '../../../src/protocol/messages.ts'
import { malformed } from '../../orders/agent-refused.ts'

interface DecodedReports {
  readonly request: ReportRequest
  /** Uids of the stagelets whose reports are malformed, where they are uids. */
  readonly refused: readonly string[]
}

const mostFaults = 10

/** Large reports take some milliseconds each. */
const manyInOneTurn = 4

/** 400 where every report in it is malformed. */
export const decodeReports = async (
  given: z.infer<typeof reportEnvelope>,
  log: Pick<Logger, 'warn'>,
): Promise<DecodedReports> => {
  const observations: ReportRequest['observations'] = []
  const refused: string[] = []
  const faults: string[] = []
  const all = await mapYielding(given.observations, decodeReport, manyInOneTurn)
  for (const [i, decoded] of all.entries()) {
    if ('report' in decoded) observations.push(decoded.report)
    else {
      if (decoded.stageletUid !== undefined) refused.push(decoded.stageletUid)
      if (faults.length < mostFaults)
        append(
          faults,
          decoded.faults.map((path) => `observations.${i}.${path}`),
        )
    }
  }
  if (observations.length === 0 && faults.length > 0) throw malformed(faults)
  if (faults.length > 0)
    log.warn({ faults: faults.slice(0, mostFaults) }, 'malformed reports of stagelets')
  return { request: { ...given, observations }, refused }
}
