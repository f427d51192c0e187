// What this page has applied: the impact that was announced, and what ran before, so that its page can tell
// afterwards what really happened. Holds no value.
import { signal } from '@preact/signals'
import type { Stagelet } from '../../src/generated/rest-types.ts'
import type { ChangeImpact } from './staging.ts'

export interface AppliedChange {
  readonly revision: number
  readonly at: number
  readonly note: string
  readonly keys: readonly string[]
  readonly impact: ChangeImpact
  /** When the container of each service had started: by `stagelet/service`. */
  readonly startedBefore: ReadonlyMap<string, string>
}

const byProject = signal<Readonly<Record<string, AppliedChange>>>({})

export const serviceKey = (stagelet: string, service: string): string => `${stagelet}/${service}`

export const startsOf = (stagelets: readonly Stagelet[]): ReadonlyMap<string, string> =>
  new Map(
    stagelets.flatMap(({ name, services }) =>
      services.map((service) => [serviceKey(name, service.name), service.since ?? ''] as const),
    ),
  )

export const keepApplied = (team: string, project: string, applied: AppliedChange): void => {
  byProject.value = { ...byProject.peek(), [`${team}/${project}`]: applied }
}

export const appliedOf = (
  team: string,
  project: string,
  revision: number,
): AppliedChange | undefined => {
  const change = byProject.value[`${team}/${project}`]
  return change?.revision === revision ? change : undefined
}
