// What happened, in words for people: pure.
import {
  authorAsTold,
  describeManualRun,
  runAsTold,
} from '../../../../src/kinds/observation/schema.ts'
import type {
  Activity,
  AgentRecord,
  ControlRecord,
  DriftRecord,
  RolloutRecord,
} from '../../../../src/store/core/activity-entry.ts'
import { describeDrift } from '../../../reconcilers/stagelet/drift.ts'

export interface Told {
  /** One word for what happened. */
  readonly what: string
  readonly by: readonly string[]
  readonly message: string
  readonly isBad?: boolean
}

type Revision = Extract<Activity, { kind: 'revision' }>['detail']

const listed = (names: readonly string[]): string => names.join(', ')

const movedText = (moved: readonly string[]): string =>
  moved.length === 0 ? '' : `; other environment: ${listed(moved)}`

const ofRevision = ({ revision, by, keys, written, deleted, moved = [] }: Revision): Told => {
  const count = written + deleted
  const of = count > keys.length && keys.length >= 20 ? `${listed(keys)}, …` : listed(keys)
  const message = `revision ${revision}: ${count === 1 ? '1 secret' : `${count} secrets`} changed${of === '' ? '' : `: ${of}`}${movedText(moved)}`
  return { what: 'changed', by, message }
}

const secondsText = (ms: number): string =>
  ms < 60_000 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 60_000)} min`

const tookOf = ({ startedAt, finishedAt }: RolloutRecord): string => {
  const ms = Date.parse(finishedAt ?? '') - Date.parse(startedAt ?? '')
  return Number.isNaN(ms) ? '' : ` after ${secondsText(Math.max(0, ms))}`
}

const recreatedIn = ({ services = [] }: RolloutRecord): string => {
  const named = (...what: string[]): string =>
    listed(services.filter((service) => what.includes(service.what)).map(({ name }) => name))
  const own = named('recreated')
  const along = named('cascaded', 'restarted')
  return `${own === '' ? '' : `; re-created: ${own}`}${along === '' ? '' : `; along with these: ${along}`}`
}

const blameText = ({ blame }: RolloutRecord): string => {
  if (blame === undefined) return ''
  const { service, keys, authors } = blame
  const set = authors.length === 0 ? '' : ` set by ${listed(authors)}`
  return `; ${service} is to blame${keys.length === 0 ? '' : `, with ${listed(keys)}${set}`}`
}

const ofRollout = (rollout: RolloutRecord): Told => {
  const { revision, cause, result, by = [] } = rollout
  // A project has no revision before its first secret.
  const of = revision === 0 ? 'the stack without secrets' : `revision ${revision}`
  const what = cause === 'ComposeFile' ? 'the edited Compose file' : of
  const sentence = { what: result, by }
  switch (result) {
    case 'Progressing':
      return { ...sentence, message: `${what} is being rolled out` }
    case 'Healthy':
      return { ...sentence, message: `${what} is healthy${tookOf(rollout)}${recreatedIn(rollout)}` }
    case 'Failed':
      return {
        ...sentence,
        isBad: true,
        message: `${what} failed${tookOf(rollout)}${blameText(rollout)}`,
      }
    case 'RolledBack':
      return {
        ...sentence,
        isBad: true,
        message: `back to ${what}, which is healthy${blameText(rollout)}`,
      }
    case 'Superseded':
      return { ...sentence, message: `another rollout began before ${what} was healthy` }
  }
}

const outcomes = {
  Found: 'not healed yet',
  Healed: 'healed',
  Held: 'the stack stays stopped',
  Flapping: 'healing does not last',
} as const

/** What the stagelet's containers are now: as declared (False), changed (True), or nobody sees them. */
export type Drifted = 'True' | 'False' | 'Unknown'

/** What is known of a stagelet beside its activity. */
export interface Seen {
  /** What it is now. An agent that is restarted forgets what it has found. */
  readonly now: Drifted
  /** Name of its agent, which tells of drift. */
  readonly agent: string
}

const unseen: Seen = { now: 'Unknown', agent: '' }

const ends = {
  False: 'as declared again; when and by whom was not seen',
  Unknown: 'what became of that is not known',
} as const

const ofDrift = (drift: DriftRecord, { now, agent }: Seen): Told => {
  if (drift.state === 'ByHand') {
    const { user, exitCode, touched } = drift
    const what = touched.length === 0 ? 'no container was touched' : `touched: ${listed(touched)}`
    const message = `Compose was run by ${runAsTold(describeManualRun(drift), agent)}: exit code ${exitCode}; ${what}`
    return { what: 'by_hand', by: [authorAsTold(user, agent)], message }
  }
  const { state, changes } = drift
  const people = new Set(
    changes.flatMap(({ by }) => (by === undefined ? [] : [authorAsTold(by, agent)])),
  )
  return {
    what: state.toLowerCase(),
    by: [...people],
    message: `${describeDrift(drift, agent)}; ${state === 'Healed' || now === 'True' ? outcomes[state] : ends[now]}`,
    isBad: state !== 'Healed' && now !== 'False',
  }
}

const ofAgent = ({ what, since }: AgentRecord, at: number): Told => {
  const awayMs = at - Date.parse(since ?? '')
  const gone = Number.isNaN(awayMs) ? '' : `, away for ${secondsText(Math.max(0, awayMs))}`
  const messages = {
    joined: 'the agent has joined',
    away: 'the agent went away: nobody sees what runs on its machine',
    back: `the agent is back${gone}`,
    revoked: 'the agent was revoked',
  } as const
  return { what, by: [], message: messages[what], isBad: what === 'away' }
}

const ordered = {
  paused: 'paused',
  resumed: 'resumed',
  drained: 'drained: its stagelets get no new revision',
  undrained: 'no longer drained',
  deployed:
    'pending edits of the Compose file are to be rolled out, and what was stopped by hand is to run',
  retried: 'what failed is to be tried again',
  extended: 'its end is put off',
} as const satisfies Record<ControlRecord['what'], string>

/** `seen`: of the stagelet of a drift. */
export const describeActivity = (activity: Activity, seen: Seen = unseen): Told => {
  switch (activity.kind) {
    case 'revision':
      return ofRevision(activity.detail)
    case 'rollout':
      return ofRollout(activity.detail)
    case 'drift':
      return ofDrift(activity.detail, seen)
    case 'agent':
      return ofAgent(activity.detail, activity.at)
    case 'control': {
      const isRollout = activity.stagelet === undefined && activity.agent === undefined
      const { what, by } = activity.detail
      return { what, by, message: `${isRollout ? 'the rollout is ' : ''}${ordered[what]}` }
    }
  }
}
