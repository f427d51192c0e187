// Who and what was there when, from the audit log; what it no longer has, from what is kept now. Pure.
import { breakGlassName } from '../../../src/access/break-glass.ts'
import type { Narrowing } from '../../../src/access/place.ts'
import type { AuditRecord } from '../../../src/audit/record.ts'
import { grouped } from '../../../src/kernel/grouped.ts'
import type { AccessPolicySpec } from '../../../src/kinds/access-policy/schema.ts'
import type { KubeObject } from '../../../src/resources/meta.ts'
import { environmentsOf, protectedIn } from '../../../src/secrets/project-environments.ts'
import { statusOf } from '../../../src/kinds/typed.ts'
import type { AccessFacts } from '../../../src/store/audit/access-facts.ts'
import { policyDetail } from '../../../src/store/objects/access-policies.ts'
import { spansOf, without, type Span } from './spans.ts'

/** What is kept now. */
export interface Kept {
  readonly members: readonly {
    readonly userId: string
    readonly user: string
    readonly role: string
    readonly narrowing: Narrowing | undefined
    readonly since: number
  }[]
  readonly policies: readonly KubeObject[]
  readonly projects: readonly KubeObject[]
  readonly requests: readonly KubeObject[]
}

/** As the audit log keeps a policy: people are counted, and not named. */
export type KeptPolicy = Omit<AccessPolicySpec, 'approvals' | 'breakGlass'> & {
  readonly approvals?: {
    readonly count?: number
    readonly roles?: readonly string[]
    readonly users?: number
  }
  readonly breakGlass?: {
    readonly users: number
    readonly maxDuration?: string
    readonly reviewWithin?: string
  }
}

export interface PolicySpan extends Span {
  readonly name: string
  readonly policy: KeptPolicy
  readonly seqs: readonly number[]
}

/** A right to read values that no policy guards. */
export interface RightSpan extends Span {
  readonly by: string
  readonly why: string
  readonly role: string
  readonly narrowing?: Narrowing | undefined
  /** Name of the token of a machine. */
  readonly machine?: string
  readonly seqs: readonly number[]
}

const ms = (row: AuditRecord): number => Date.parse(row.at)
const textOf = (row: AuditRecord, field: string): string | undefined => {
  const value = row.detail?.[field]
  return typeof value === 'string' ? value : undefined
}

const rowsOf = ({ rows }: AccessFacts, kind: string): AuditRecord[] =>
  rows.filter(({ object }) => object.kind === kind)

export const policySpans = (facts: AccessFacts, { policies }: Kept): PolicySpan[] => {
  const byName = grouped(rowsOf(facts, 'AccessPolicy'), ({ object }) => object.name)
  const logged = [...byName].flatMap(([name, rows]) => {
    const changes = rows.flatMap((row, i) => {
      const policy = row.detail?.['policy'] as KeptPolicy | undefined
      if (policy === undefined && row.action !== 'delete') return []
      // A change of labels alone changes no rule.
      const isSame = policy && rows[i - 1]?.detail?.['generation'] === row.detail?.['generation']
      return isSame === true ? [] : [{ at: ms(row), state: policy && { policy, seqs: [row.seq] } }]
    })
    return spansOf(changes).map(({ state, ...span }) => ({ ...span, ...state, name }))
  })
  const unlogged = policies.flatMap((object) => {
    const { name } = object.metadata
    if (byName.has(name)) return []
    const policy = policyDetail(object)['policy'] as KeptPolicy
    const from = Date.parse(statusOf('AccessPolicy', object).changedAt ?? '') || 0
    return [{ from, to: Infinity, name, policy, seqs: [] }]
  })
  return [...logged, ...unlogged].sort((a, b) => a.from - b.from)
}

const lifeActions: ReadonlySet<string> = new Set(['create', 'delete'])

export const projectSpans = (
  facts: AccessFacts,
  { projects }: Kept,
): (Span & { readonly name: string })[] => {
  const lives = rowsOf(facts, 'Project').filter(({ action }) => lifeActions.has(action))
  const byName = grouped(lives, ({ object }) => object.name)
  const logged = [...byName].flatMap(([name, rows]) => {
    // The row of its making was pruned.
    const start = rows[0]!.action === 'delete' ? [{ at: 0, state: name }] : []
    const changes = rows.map((row) => ({
      at: ms(row),
      state: row.action === 'delete' ? undefined : name,
    }))
    return spansOf([...start, ...changes]).map(({ from, to }) => ({ from, to, name }))
  })
  const unlogged = projects
    .filter(({ metadata }) => byName.get(metadata.name)?.at(-1)?.action !== 'create')
    .map(({ metadata: { name, creationTimestamp: created = '' } }) => ({
      from: Date.parse(created) || 0,
      to: Infinity,
      name,
    }))
  return [...logged, ...unlogged].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
}

/**
 * Which environments of a project were protected when. What no row tells of, the next change ended; where there is none, it
 * is as now.
 */
export const protectionSpans = (
  facts: AccessFacts,
  { projects }: Kept,
  name: string,
): (Span & { readonly names: readonly string[] })[] => {
  const changes = rowsOf(facts, 'Project').filter(
    ({ object, action, detail }) =>
      object.name === name && (action === 'delete' || detail?.['protected'] !== undefined),
  )
  const namesIn = (row: AuditRecord, field: string): string[] =>
    (row.detail?.[field] as string[] | undefined) ?? []
  const project = projects.find(({ metadata }) => metadata.name === name)
  const endedBy = (next: AuditRecord | undefined): string[] =>
    next ? namesIn(next, 'protectedBefore') : protectedIn(environmentsOf(project))
  const states = changes.map((row, i) => ({
    at: ms(row),
    state: row.action === 'delete' ? endedBy(changes[i + 1]) : namesIn(row, 'protected'),
  }))
  return spansOf([{ at: 0, state: endedBy(changes[0]) }, ...states]).map(({ state, ...span }) => ({
    ...span,
    names: state,
  }))
}

/** When a person could not log in, by id: before the end of the user, what `isOff` says. */
const offSpans = (facts: AccessFacts): ReadonlyMap<string, Span[]> => {
  const byId = grouped(rowsOf(facts, 'User'), (row) => textOf(row, 'userId') ?? '')
  return new Map(
    [...byId].map(([id, rows]) => {
      const changes = rows.flatMap((row) => {
        const isOff = row.action === 'delete user' ? true : row.detail?.['disabled']
        return typeof isOff === 'boolean' ? [{ at: ms(row), state: isOff || undefined }] : []
      })
      return [id, spansOf(changes)]
    }),
  )
}

interface Held {
  readonly role: string
  readonly narrowing: Narrowing | undefined
  readonly seq: number[]
}

const memberSpans = (facts: AccessFacts, { members }: Kept): RightSpan[] => {
  const off = offSpans(facts)
  const byId = grouped(rowsOf(facts, 'Member'), (row) => textOf(row, 'userId') ?? '')
  const logged = [...byId].flatMap(([id, rows]): RightSpan[] => {
    const first = rows[0]!
    const before = textOf(first, 'previousRole')
    const narrowingOf = (row: AuditRecord, field: string): Narrowing | undefined =>
      row.detail?.[field] as Narrowing | undefined
    const held = (row: AuditRecord): Held | undefined => {
      const role = textOf(row, 'role')
      return role === undefined
        ? undefined
        : { role, narrowing: narrowingOf(row, 'narrowing'), seq: [row.seq] }
    }
    const start =
      before === undefined
        ? []
        : [
            {
              at: 0,
              state: { role: before, narrowing: narrowingOf(first, 'previousNarrowing'), seq: [] },
            },
          ]
    const changes = [...start, ...rows.map((row) => ({ at: ms(row), state: held(row) }))]
    return spansOf<Held>(changes).flatMap(({ state: { seq, ...state }, ...span }) =>
      without(
        { ...span, ...state, by: rows.at(-1)!.object.name, why: `role ${state.role}`, seqs: seq },
        off.get(id) ?? [],
      ),
    )
  })
  const unlogged = members
    .filter(({ userId }) => !byId.has(userId))
    .map(({ user, role, narrowing, since }) => ({
      from: since,
      to: Infinity,
      by: user,
      why: `role ${role}`,
      role,
      narrowing,
      seqs: [],
    }))
  return [...logged, ...unlogged]
}

const adminSpans = (facts: AccessFacts): RightSpan[] => {
  const people = rowsOf(facts, 'User').filter(({ object }) => object.name !== breakGlassName)
  const byId = grouped(people, (row) => textOf(row, 'userId') ?? '')
  return [...byId].flatMap(([, rows]) => {
    const changes = rows.flatMap((row) => {
      const { admin, disabled } = row.detail ?? {}
      if (row.action !== 'delete user' && typeof admin !== 'boolean') return []
      const isOn = admin === true && disabled !== true && row.action !== 'delete user'
      return [{ at: ms(row), state: isOn ? row.seq : undefined }]
    })
    const by = rows.at(-1)!.object.name
    return spansOf(changes).map(({ state, ...span }) => ({
      ...span,
      by,
      why: 'admin of the controller',
      role: 'owner',
      seqs: [state],
    }))
  })
}

/** `stagely controller break-glass`: for as long as its token. */
const brokenSpans = (facts: AccessFacts): RightSpan[] =>
  rowsOf(facts, 'User')
    .filter(({ action }) => action === 'break glass')
    .map((row) => ({
      from: ms(row),
      to: Number(row.detail?.['expiresAt'] ?? Infinity),
      by: breakGlassName,
      why: 'stagely controller break-glass',
      role: 'owner',
      seqs: [row.seq],
    }))

const tokenSpans = (facts: AccessFacts): RightSpan[] => {
  const byId = grouped(rowsOf(facts, 'Token'), (row) => textOf(row, 'tokenId') ?? '')
  return [...byId].flatMap(([, rows]) => {
    const made = rows.find((row) => textOf(row, 'role') !== undefined)
    if (made === undefined) return []
    const { expiresAt, narrowing } = made.detail ?? {}
    const ended = rows.find(({ action }) => action === 'revoke token')
    const ends = [ended && ms(ended), typeof expiresAt === 'number' ? expiresAt : undefined]
    const { name } = made.object
    const role = textOf(made, 'role')!
    return [
      {
        from: ms(made),
        to: Math.min(...ends.filter((end) => end !== undefined), Infinity),
        by: name,
        why: `token ${name}, role ${role}`,
        role,
        machine: name,
        narrowing: narrowing as Narrowing | undefined,
        seqs: [made.seq],
      },
    ]
  })
}

export const rightSpans = (facts: AccessFacts, kept: Kept): RightSpan[] => [
  ...memberSpans(facts, kept),
  ...adminSpans(facts),
  ...brokenSpans(facts),
  ...tokenSpans(facts),
]
