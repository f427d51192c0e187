// Which keys are due for rotation, and when to look again: pure.
import { toTimestamp } from '../../src/kernel/clock.ts'
import { earliest } from '../../src/kernel/earliest.ts'
import type { KubeObject } from '../../src/resources/meta.ts'
import { durationMs } from '../../src/resources/duration.ts'
import { dataKeyDueAt, overdueBy, type KeyRule } from '../../src/kinds/project/key-rotation.ts'
import { specOf } from '../../src/kinds/typed.ts'
import type { KeyFacts, ProjectKeysFact } from '../../src/store/keys/key-age.ts'
import type { DueKey } from '../../src/store/keys/key-warnings.ts'

const dayMs = 86_400_000

/** When each key is due (ms); `project` has a `name`. Of data keys the one that is due first. */
export interface Dues {
  readonly kind: DueKey['kind'] | 'data'
  readonly name?: string
  readonly since: number
  readonly dueAt: number
}

export interface KeyPlan {
  readonly dues: readonly Dues[]
  /** Projects whose data key is due. */
  readonly dataKeys: readonly ProjectKeysFact[]
  readonly isSealingDue: boolean
  /** The next moment (ms) at which time alone makes another plan. */
  readonly nextAt: number | undefined
}

export const ruleOf = (
  { namespace, name }: ProjectKeysFact,
  project: KubeObject | undefined,
  usualMs: number,
): KeyRule => {
  const own = project && specOf('Project', project)?.keyRotation
  return { namespace, name, own, usualMs }
}

const first = (dues: readonly Dues[]): Dues[] => {
  const [earliest] = [...dues].sort((a, b) => a.dueAt - b.dueAt)
  return earliest === undefined ? [] : [earliest]
}

/** `ruleFor` gives the rule of a project. A key that wraps those of several projects is due by the strictest. */
export const planRotation = (
  { ages, projects }: KeyFacts,
  ruleFor: (project: ProjectKeysFact) => KeyRule,
  { usualMs, nowMs }: { usualMs: number; nowMs: number },
): KeyPlan => {
  const strictest = new Map<string, number>()
  const data: (Dues & { readonly of: ProjectKeysFact })[] = []
  for (const project of projects) {
    const rule = ruleFor(project)
    const by = project.wrappedBy ?? ''
    const everyMs = rule.own === undefined ? usualMs : durationMs(rule.own.every)
    strictest.set(by, Math.min(strictest.get(by) ?? usualMs, everyMs))
    const dueAt = dataKeyDueAt(project, rule)
    if (dueAt !== undefined)
      data.push({ kind: 'data', since: project.dataKeySince ?? dueAt, dueAt, of: project })
  }
  const wrapping = (kind: 'master' | 'project', by: string, since: number | undefined): Dues[] => {
    if (since === undefined) return []
    const dueAt = since + (strictest.get(by) ?? usualMs)
    return [{ kind, since, dueAt, ...(kind === 'project' && { name: by }) }]
  }
  const { sealingSince: sealed } = ages
  const sealing: Dues[] =
    sealed === undefined ? [] : [{ kind: 'sealing', since: sealed, dueAt: sealed + usualMs }]
  const dues: Dues[] = [
    ...wrapping('master', '', ages.masterSince),
    ...first(data).map(({ kind, since, dueAt }) => ({ kind, since, dueAt })),
    ...sealing,
    ...[...ages.named].flatMap(([name, since]) => wrapping('project', name, since)),
  ]
  const later = [...dues, ...data].filter(({ dueAt }) => dueAt > nowMs)
  return {
    dues,
    dataKeys: data.filter(({ dueAt }) => dueAt <= nowMs).map(({ of }) => of),
    isSealingDue: sealing.some(({ dueAt }) => dueAt <= nowMs),
    nextAt: later.reduce<number | undefined>((at, { dueAt }) => earliest(at, dueAt), undefined),
  }
}

const nameOf = ({ kind, name }: Dues): string =>
  kind === 'project' ? `the key "${name ?? ''}", which projects name,` : `the ${kind} key`

const remedies = {
  master: 'see /docs/operations#keys of the controller',
  project: 'see /docs/operations#keys of the controller',
  sealing: 'stagely admin keys rotate --sealing',
} as const

/** Those that the operator is told of, once for each day that they are overdue, and when (ms) the next day begins. */
export const dueKeys = (
  { dues }: KeyPlan,
  { nowMs, waits }: { nowMs: number; waits?: string | undefined },
): { due: DueKey[]; nextAt: number | undefined } => {
  const due: DueKey[] = []
  let nextAt: number | undefined
  for (const dueKey of dues) {
    const { kind, since, dueAt, name } = dueKey
    if (kind === 'data' || dueAt > nowMs) continue
    const days = Math.floor((nowMs - dueAt) / dayMs)
    const why = kind === 'sealing' && waits !== undefined ? ` (the controller waits: ${waits})` : ''
    const message = `${nameOf(dueKey)} is from ${toTimestamp(since)} and ${overdueBy(days)}${why}: ${remedies[kind]}`
    const unlessSince = dueAt + days * dayMs
    due.push({ kind, message, unlessSince, ...(name !== undefined && { name }) })
    nextAt = earliest(nextAt, unlessSince + dayMs)
  }
  return { due, nextAt }
}
