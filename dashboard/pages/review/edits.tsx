// The edits of a review, each with the verdict of the dry run.
import type { ComponentChild } from 'preact'
import type { Secret } from '../../../src/rest/types.ts'
import { secretsOf } from '../../live/collections.ts'
import type { Reviewed } from '../../staging/review.ts'
import { unstage, type Edit } from '../../staging/staging.ts'
import { Button } from '../../ui/button.tsx'
import { messageText } from '../../ui/text/message.ts'
import { StateText, type StateKind } from '../../ui/state.tsx'
import type { ProjectPlace } from '../secrets/data.ts'
import s from './review.module.css'

interface Place {
  readonly scope: string
  readonly stagelet?: string | undefined
}
type Change = 'created' | 'value' | 'place' | 'unchanged' | 'deleted'

const verdicts: Readonly<Record<Change, readonly [string, string]>> = {
  created: ['+', 'new secret'],
  value: ['~', 'new value'],
  place: ['~', 'moved'],
  unchanged: ['=', 'unchanged, skipped'],
  deleted: ['−', 'deleted'],
}

const placeOf = ({ scope, stagelet }: Place): string =>
  stagelet === undefined || stagelet === '' ? scope : `${scope} of ${stagelet}`

/** What is stored now, whoever stored it, and what it becomes. */
const nowToNew = (edit: Edit, change: Change, stored: Secret): string => {
  const version = `v${stored.version}`
  if (change === 'value') return `, replaces ${version}`
  if (change === 'deleted') return ` with ${version}`
  if (change !== 'place') return ''
  const next = {
    scope: edit.target?.scope ?? stored.scope,
    stagelet: edit.target?.stagelet === undefined ? stored.stagelet : (edit.target.stagelet ?? ''),
  }
  return `: ${placeOf(stored)} → ${placeOf(next)}`
}

interface Props {
  readonly place: ProjectPlace
  readonly edits: readonly Edit[]
  readonly reviewed: Reviewed
}

export const EditList = ({ place, edits, reviewed }: Props) => {
  const secrets = secretsOf(place.team, place.project)
  return (
    <ul class={s['edits']}>
      {edits.map((edit) => {
        const index = reviewed.edits.indexOf(edit)
        const change = index < 0 ? undefined : reviewed.answer?.results[index]?.change
        const [sign, word] = change === undefined ? ['·', 'not reviewed yet'] : verdicts[change]
        const stored = edit.secretId === undefined ? undefined : secrets.cell(edit.secretId).value
        const isOlder =
          stored !== undefined &&
          edit.fromVersion !== undefined &&
          stored.version !== edit.fromVersion
        const isGone =
          edit.secretId !== undefined &&
          stored === undefined &&
          secrets.list.value.state === 'known'
        const warnings =
          reviewed.answer?.warnings.filter(({ operation }) => operation === index) ?? []
        return (
          <li key={edit.id} class={change === 'unchanged' ? s['equal'] : undefined}>
            <span class={s['sign']} aria-hidden="true">
              {sign}
            </span>
            <div>
              <b class="mono">{edit.key}</b> <span class="muted">{placeOf(stored ?? edit)}</span>
              <p>
                {word}
                {edit.bytes === undefined ? '' : `, ${edit.bytes} bytes`}
                {change === undefined || stored === undefined ? '' : nowToNew(edit, change, stored)}
              </p>
              {isOlder ? (
                <Note kind="warn">
                  {stored.updated_by ?? 'somebody'} stored version {stored.version} after you began
                  from version {edit.fromVersion}
                </Note>
              ) : null}
              {isGone ? <Note kind="warn">This secret was deleted</Note> : null}
              {warnings.map(({ field, message }) => (
                <Note key={field} kind="warn">
                  {messageText(message)}
                </Note>
              ))}
            </div>
            <Button
              small
              onPress={() => unstage(place.team, place.project, edit.id)}
              label={`Unstage ${edit.key}`}
            >
              Unstage
            </Button>
          </li>
        )
      })}
    </ul>
  )
}

const Note = ({
  kind,
  children,
}: {
  readonly kind: StateKind
  readonly children: ComponentChild
}) => (
  <p class={s['note']}>
    <StateText kind={kind}>{children}</StateText>
  </p>
)
