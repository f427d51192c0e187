// The state of a stagelet, of a service and of a project in one word and one sentence, from what the controller
// says of them: pure. Words are used in one sense only; see docs/dashboard.md.
import type { Condition, Project, Service, Stagelet } from '../../src/generated/rest-types.ts'
import { isTrouble, conditionWords } from './conditions.ts'
import type { StateKind } from './state-kind.ts'

export interface ShownState {
  readonly kind: StateKind
  readonly word: string
  /** Why, in the words of the controller; empty where the word says all. */
  readonly why: string
  readonly since: string | undefined
  /** How much it needs a person: 0 nothing, larger is worse. */
  readonly weight: number
}

type HasConditions = { readonly conditions: readonly Condition[] }

export const conditionOf = ({ conditions }: HasConditions, type: string): Condition | undefined =>
  conditions.find((condition) => condition.type === type)

const isTrue = (object: HasConditions, type: string): boolean =>
  conditionOf(object, type)?.status === 'True'

const shown = (
  [kind, word, weight]: readonly [StateKind, string, number],
  condition?: Condition,
): ShownState => ({
  kind,
  word,
  weight,
  why: condition?.message ?? '',
  since: condition?.since,
})

/** Nobody sees the stack. One that is not judged yet is seen. */
const isUnseen = ({ status, reason }: Condition): boolean =>
  status === 'Unknown' && reason !== 'NotJudged'

const unseen = (inSync: Condition): ShownState =>
  inSync.reason === 'NotJudged'
    ? shown(['wait', 'Waiting', 20], inSync)
    : shown(['unknown', inSync.reason === 'AgentAway' ? 'Offline' : 'Unknown', 60], inSync)

const behind = (inSync: Condition, progressing: Condition | undefined): ShownState => {
  if (progressing?.status === 'True') return shown(['run', 'Rolling', 10], progressing)
  const isHeld = progressing !== undefined && progressing.reason !== 'Settled'
  return shown(['wait', 'Waiting', 30], isHeld ? progressing : inSync)
}

const leaving = (stagelet: Stagelet): ShownState => {
  const isHere = isTrue(stagelet, 'AgentReachable')
  const agent = `agent ${stagelet.agent}${isHere ? '' : ', which is not connected'}`
  const why = `It is being deleted, and waits for ${agent}.`
  return { kind: 'wait', word: 'Deleting', why, weight: 60, since: stagelet.deleting_since }
}

export const stageletState = (stagelet: Stagelet): ShownState =>
  stagelet.deleting_since === undefined ? stayingState(stagelet) : leaving(stagelet)

/** In the order in which a person wants to know of it. */
const stayingState = (stagelet: Stagelet): ShownState => {
  const condition = (type: string): Condition | undefined => conditionOf(stagelet, type)
  const [inSync, degraded, drifted] = [
    condition('SecretsInSync'),
    condition('Degraded'),
    condition('Drifted'),
  ]
  if (inSync && isUnseen(inSync)) return unseen(inSync)
  // A container is missing, say: the drift tells why, and that it is healed.
  const isExplained = drifted?.status === 'True' && degraded?.reason === 'ServiceUnhealthy'
  if (degraded?.status === 'True' && !isExplained)
    return degraded.reason === 'RolledBack'
      ? shown(['fail', 'Rolled back', 100], degraded)
      : shown(['fail', 'Failed', 90], degraded)
  if (drifted?.status === 'True') return shown(['drift', 'Drift', 70], drifted)
  if (stagelet.paused) return shown(['paused', 'Paused', 40], condition('Progressing'))
  if (inSync?.status === 'Unknown') return unseen(inSync)
  if (inSync?.status === 'False') return behind(inSync, condition('Progressing'))
  if (inSync === undefined) return shown(['unknown', 'Unknown', 50], condition('Accepted'))
  const warning = stagelet.conditions.find(
    (condition) => isTrouble(condition) && !toldOf.has(condition.type),
  )
  return warning === undefined
    ? shown(['ok', 'In sync', 0], inSync)
    : shown(['warn', words[warning.type] ?? conditionWords(warning), 35], warning)
}

/** What is looked at before. */
const toldOf: ReadonlySet<string> = new Set([
  ...['SecretsInSync', 'Degraded', 'Drifted', 'Ready', 'AgentReachable'],
])

const words: Readonly<Record<string, string>> = {
  ComposeFileChanged: 'Edits held',
  VariableMissing: 'Variable missing',
  FileNotMounted: 'File not mounted',
  ReportCut: 'Report cut',
}

export const serviceState = (service: Service, newest: number | undefined): ShownState => {
  const { state = 'unknown', health, in_sync, since } = service
  const say = (kind: StateKind, word: string, weight: number, why = ''): ShownState => ({
    kind,
    word,
    weight,
    why,
    since,
  })
  if (state === 'unknown') return say('unknown', 'Unknown', 60, service.last_seen?.state ?? '')
  if (state === 'completed') return say('ok', 'Done', 0)
  if (state === 'scaledToZero') return say('ok', 'Scaled to zero', 0)
  if (state === 'missing') return say('drift', 'Missing', 80)
  if (state !== 'running') return say('fail', capital(state), 90)
  if (health === 'unhealthy') return say('fail', 'Unhealthy', 90)
  if (health === 'starting') return say('run', 'Starting', 10)
  if (in_sync === false)
    return say(
      'wait',
      'Behind',
      30,
      newest === undefined ? '' : `runs revision ${service.revision ?? '–'}`,
    )
  return say('ok', 'In sync', 0)
}

const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1)

/** How many stagelets are in which state, the worst first. */
export const countsOf = (
  stagelets: readonly Stagelet[],
): readonly { readonly kind: StateKind; readonly word: string; readonly count: number }[] => {
  const counts = new Map<string, { kind: StateKind; word: string; count: number; weight: number }>()
  for (const stagelet of stagelets) {
    const { kind, word, weight } = stageletState(stagelet)
    const count = counts.get(word)
    if (count === undefined) counts.set(word, { kind, word, weight, count: 1 })
    else count.count += 1
  }
  return [...counts.values()].sort((a, b) => b.weight - a.weight)
}

export const isOf = (project: Pick<Project, 'team' | 'name'>, stagelet: Stagelet): boolean =>
  stagelet.team === project.team && stagelet.project === project.name
