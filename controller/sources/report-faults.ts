// Reports the faults of a source: by an Event for each, and while they last by a condition of the teams.
import { findCondition, statusConditions, type Verdict } from '../../src/resources/conditions.ts'
import { refFromKey, type KubeObject } from '../../src/resources/meta.ts'
import type { Actor, Store, Transaction } from '../../src/store/store.ts'

interface Deps {
  readonly store: Store
  readonly actor: Actor
}

interface ObjectFault {
  /** Key of the faulty object, if it is known. */
  readonly key?: string
  readonly message: string
}

export const recordFaults = async (
  { store, actor }: Deps,
  reason: string,
  faults: readonly ObjectFault[],
): Promise<void> => {
  if (faults.length === 0) return
  await store.write(actor, {}, async (tx) => {
    for (const { key, message } of faults) {
      const regarding = await regardingOf(tx, key)
      if (regarding !== undefined)
        await tx.recordEvent({ regarding, type: 'Warning', reason, message })
    }
  })
}

const teamRef = (name: string) => ({ kind: 'Namespace', namespace: '', name })

/** The object, else its team, else `default`. */
const regardingOf = async (tx: Transaction, key = ''): Promise<KubeObject | undefined> => {
  const { kind, namespace, name } = refFromKey(key)
  const object = name === '' ? undefined : await tx.get({ kind, namespace, name })
  return object ?? (await tx.get(teamRef(namespace))) ?? (await tx.get(teamRef('default')))
}

interface TeamFault {
  readonly team: string
  readonly text: string
}

interface TeamCondition {
  readonly type: string
  /** Of the faults. The condition of a team that has another fault is left alone. */
  readonly reason: string
  /** What a team says whose faults have ended; undefined: it goes on saying them. */
  readonly good: Verdict | undefined
}

const mostTexts = 20

const joined = (texts: readonly string[]): string =>
  texts.slice(0, mostTexts).join('\n') +
  (texts.length > mostTexts ? `\nand ${texts.length - mostTexts} more` : '')

/** Sets the condition of every team that has faults, or had some. `default` speaks for a team that is not there. */
export const showFaults = async (
  { store, actor }: Deps,
  { type, reason, good }: TeamCondition,
  faults: readonly TeamFault[],
): Promise<void> => {
  const teams = (await store.list('Namespace')).items
  const isThere = new Set(teams.map(({ metadata }) => metadata.name))
  const texts = new Map<string, Set<string>>()
  for (const { team, text } of faults) {
    const speaker = isThere.has(team) ? team : 'default'
    texts.set(speaker, (texts.get(speaker) ?? new Set()).add(text))
  }
  const changed = teams.flatMap(({ metadata: { name }, status }) => {
    const now = findCondition(statusConditions({ status }), type)
    const isFaulty = now?.status === 'False'
    const message = joined([...(texts.get(name) ?? [])])
    if (isFaulty ? now.reason !== reason || now.message === message : message === '') return []
    const verdict = message === '' ? good : ({ status: 'False', reason, message } as const)
    return verdict === undefined ? [] : [{ ref: teamRef(name), verdict }]
  })
  if (changed.length === 0) return
  await store.write(actor, {}, async (tx) => {
    for (const { ref, verdict } of changed)
      if ((await tx.get(ref)) !== undefined) await tx.setConditions(ref, [{ type, ...verdict }])
  })
}
