// The settings of a project as a form: what is shown, and what REST and manifests get. Pure.
import type { Project } from '../../../src/rest/types.ts'
import type { Spec } from '../../actions/kinds.ts'

export interface Fields {
  readonly description: string
  /** Empty: all stagelets at once. */
  readonly atOnce: string
  readonly deadline: string
  readonly isPaused: boolean
  /** Empty: any age will do. */
  readonly maxAge: string
  readonly exempt: string
  readonly refuses: boolean
  /** Empty: as the controller has it. */
  readonly keyEvery: string
  readonly keyEnforced: boolean
}

export const fieldsOf = ({
  description,
  rollout,
  secret_policy: policy,
  key_rotation: keys,
}: Project): Fields => ({
  description: description ?? '',
  atOnce: rollout?.max_concurrent?.toString() ?? '',
  deadline: rollout?.progress_deadline_seconds?.toString() ?? '',
  isPaused: rollout?.paused === true,
  maxAge: policy?.max_age ?? '',
  exempt: (policy?.exempt ?? []).join(', '),
  refuses: policy?.enforce === 'Refuse',
  keyEvery: keys?.every ?? '',
  keyEnforced: keys?.enforce === true,
})

/** Text is sent as it is where it is no number: the controller says what is wrong with it. */
const numberOr = (text: string): number | string | undefined => {
  const trimmed = text.trim()
  return trimmed === '' ? undefined : /^\d+$/.test(trimmed) ? Number(trimmed) : trimmed
}

/** Without what is not given; undefined where nothing is. */
const given = (spec: Spec): Spec | undefined => {
  const entries = Object.entries(spec).filter(([, value]) => value !== undefined)
  return entries.length === 0 ? undefined : Object.fromEntries(entries)
}

/** The spec, by the names of REST. What the form does not show stays as it is in `project`. */
export const specOf = (project: Project, fields: Fields): Spec => {
  const { rollout, secret_policy: policy, key_rotation: keys, key_provider } = project
  const keyEvery = fields.keyEvery.trim()
  const exempt = fields.exempt.split(/[\s,]+/).filter((one) => one !== '')
  const maxAge = fields.maxAge.trim()
  // The controller fills in what is absent: a policy of rollouts begins when something of it is given.
  const turns = given({
    max_concurrent: numberOr(fields.atOnce),
    progress_deadline_seconds: numberOr(fields.deadline),
    on_failure: rollout?.on_failure,
    paused: fields.isPaused ? true : rollout?.paused === false ? false : undefined,
  })
  return (
    given({
      description: fields.description.trim() === '' ? undefined : fields.description.trim(),
      key_provider,
      rollout: turns,
      secret_policy:
        maxAge === ''
          ? undefined
          : given({
              max_age: maxAge,
              exempt: exempt.length === 0 ? undefined : exempt,
              enforce: fields.refuses
                ? 'Refuse'
                : policy?.enforce === undefined
                  ? undefined
                  : 'Report',
            }),
      key_rotation:
        keyEvery === ''
          ? undefined
          : given({
              every: keyEvery,
              enforce: fields.keyEnforced ? true : keys?.enforce === undefined ? undefined : false,
            }),
    }) ?? {}
  )
}
