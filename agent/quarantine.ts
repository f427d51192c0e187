// What failed its gate is not tried again while it stays what it is: pure.
import type { Quarantined } from '../src/resources/observation.ts'
import { serviceDigest } from '../src/secrets/digest.ts'
import { visibleTo } from '../src/secrets/visible.ts'
import type { Want } from './stack-state.ts'

const mostKept = 20

/** What the service is given; '' for nothing, which may be what it fails for. */
export const digestIn = (want: Want, service: string): string =>
  serviceDigest(visibleTo(service, want.desired.name, want.entries)) ?? ''

/** The entry that keeps this want from being run; undefined when none does. */
const quarantineOf = (want: Want, quarantine: readonly Quarantined[]): Quarantined | undefined =>
  quarantine.find((q) => q.retry === want.desired.retry && digestIn(want, q.service) === q.digest)

/** What was wanted, what to go back to, and what of them to run now. */
export interface Choice {
  readonly run: Want
  /** What to go back to where that fails. */
  readonly healthy: Want | undefined
  /** Why it is not the target; undefined where it is. */
  readonly because: Quarantined | undefined
}

/** The target, or, where part of it has failed, the healthy revision as a whole. */
export const chooseWant = (
  target: Want,
  healthy: Want | undefined,
  quarantine: readonly Quarantined[],
): Choice => {
  const because = quarantineOf(target, quarantine)
  // What has failed as well is nothing to go back to: the target is tried again, by backoff.
  const back =
    healthy === undefined || quarantineOf(healthy, quarantine) !== undefined ? undefined : healthy
  if (because === undefined || back === undefined)
    return { run: target, healthy: back, because: undefined }
  return { run: back, healthy: undefined, because }
}

/**
 * Whose new set of values a failure is put down to: the failed service's own, or else that of those that it
 * leans on. None where going back would give none of them something else.
 */
export const findCulprits = (
  failed: Want,
  healthy: Want | undefined,
  service: string,
  leansOn: readonly string[],
): string[] => {
  if (healthy === undefined) return []
  const isNew = (name: string): boolean => digestIn(healthy, name) !== digestIn(failed, name)
  return isNew(service) ? [service] : leansOn.filter(isNew)
}

export const withQuarantined = (
  quarantine: readonly Quarantined[],
  added: Quarantined,
): Quarantined[] =>
  [
    ...quarantine.filter((q) => q.service !== added.service || q.digest !== added.digest),
    added,
  ].slice(-mostKept)

/**
 * Without what is over: somebody asked for a retry; it has passed since; or something newer is
 * healthy, and the target gives the service something else by now.
 */
export const liveQuarantine = (
  quarantine: readonly Quarantined[],
  target: Want,
  passed: Readonly<Record<string, string>>,
): Quarantined[] => {
  const { retry, healthyRevision = 0 } = target.desired
  return quarantine.filter(
    (q) =>
      q.retry === retry &&
      passed[q.service] !== q.digest &&
      (q.revision > healthyRevision || digestIn(target, q.service) === q.digest),
  )
}
