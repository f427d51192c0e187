// Brings the report of one stagelet within its bounds. The agent does it before it sends. The controller does it again,
// since an agent may be older or compromised, and with what an earlier release has stored.
import type * as z from 'zod'
import { fitTo, type Cut } from '../resources/validation/fit.ts'
import { limits } from '../resources/limits.ts'
import { misfitsOf } from '../resources/validation/misfits.ts'
import { observationSpec, type ObservationSpec } from '../kinds/observation/schema.ts'
import { reportedStagelet, type ReportedStagelet } from './messages.ts'

type Service = Readonly<Record<string, unknown>>
interface Report {
  readonly services?: unknown
  readonly cut?: unknown
}

/** Of each service, what is left out first where the whole is too large. */
const lessNeeded = ['composeKeys', 'oldest', 'detail', 'sharesWith', 'oneOff'] as const

const sizeOf = (report: unknown): number => JSON.stringify(report).length

const without = (services: readonly unknown[], field: string): unknown[] =>
  services.map((service) => {
    if (typeof service !== 'object' || service === null) return service
    const { [field]: _, ...rest } = service as Service
    return rest
  })

/** Leaves out of a report that is too large as a whole: parts of services, then services. */
const shrink = (report: Report, cuts: Cut[]): Report => {
  if (!Array.isArray(report.services) || sizeOf(report) <= limits.observation) return report
  const had = report.services.length
  let services: unknown[] = report.services
  for (const field of lessNeeded) {
    services = without(services, field)
    cuts.push({ field: `services[].${field}`, had, kept: 0 })
    const smaller = { ...report, services }
    if (sizeOf(smaller) <= limits.observation) return smaller
  }
  while (services.length > 0 && sizeOf({ ...report, services }) > limits.observation)
    services = services.slice(0, Math.floor(services.length / 2))
  cuts.push({ field: 'services', had, kept: services.length })
  return { ...report, services }
}

const fit = (schema: z.ZodType, given: Report): Report => {
  const { value, cuts } = fitTo(schema, given)
  return fitWhole(value, cuts)
}

/** `cuts`: what was left out of its parts. */
const fitWhole = (report: Report, cuts: readonly Cut[]): Report => {
  const all = [...cuts]
  const small = shrink(report, all)
  if (all.length === 0) return small
  const before = Array.isArray(small.cut) ? (small.cut as unknown[]) : []
  return { ...small, cut: [...before, ...all].slice(0, limits.listed) }
}

/** The report with what is over cut, and named in `cut`; the given one where nothing is. */
export const fitReport = (report: ReportedStagelet): ReportedStagelet =>
  fit(reportedStagelet, report) as ReportedStagelet

type DecodedReport =
  | { readonly report: ReportedStagelet }
  /** Malformed, at these fields. The uid where it is one. */
  | { readonly faults: readonly string[]; readonly stageletUid: string | undefined }

const mostFaults = 10

const short = (path: string): string => path.slice(0, 200)

const uidOf = (given: unknown): string | undefined => {
  const uid = (given as { readonly stageletUid?: unknown } | null)?.stageletUid
  return reportedStagelet.shape.stageletUid.safeParse(uid).data
}

const pickerOf = ({ shape }: z.ZodObject): ((given: object) => Record<string, unknown>) => {
  const names = Object.keys(shape)
  return (given) =>
    Object.fromEntries(
      names.flatMap((name) => {
        const value = (given as Service)[name]
        return value === undefined ? [] : [[name, value]]
      }),
    )
}
const pickKnown = pickerOf(reportedStagelet)
const pickOfService = pickerOf(reportedStagelet.shape.services.element)

/** What nobody knows is not measured and not copied: there may be many such fields, or lists within lists. */
const knownOf = (report: Report): Report => ({
  ...pickKnown(report),
  services: (report.services as object[]).map(pickOfService),
})

/** Decodes what an agent has sent as the report of one stagelet. */
export const decodeReport = (given: unknown): DecodedReport => {
  const stageletUid = uidOf(given)
  if (stageletUid === undefined) return { faults: ['stageletUid'], stageletUid }
  const { value, cuts } = fitTo(reportedStagelet, given)
  const misfits = misfitsOf(reportedStagelet, value, mostFaults)
  if (misfits.length > 0) return { faults: misfits.map(short), stageletUid }
  const fitted = fitWhole(knownOf(value as Report), cuts)
  if (sizeOf(fitted) > limits.observation) return { faults: ['the whole'], stageletUid }
  const { data, error } = reportedStagelet.safeParse(fitted)
  if (data !== undefined) return { report: data }
  const paths = error.issues.slice(0, mostFaults).map(({ path }) => short(path.join('.')))
  return { faults: [...new Set(paths)], stageletUid }
}

const kept = new WeakMap<ObservationSpec, ObservationSpec>()

/** A stored report within the bounds. What an earlier release has stored knows none. */
export const fitStored = (stored: ObservationSpec): ObservationSpec => {
  const cached = kept.get(stored)
  if (cached !== undefined) return cached
  const fitted = fit(observationSpec, stored) as ObservationSpec
  kept.set(stored, fitted)
  return fitted
}
