// The edits of a review, each with the verdict of the dry run.
import type { ComponentChild } from 'preact'
import type { Secret } from '../../../src/generated/rest-types.ts'
import { secretsOf } from '../../live/collections.ts'
import type { Reviewed } from '../../staging/review.ts'
import { plainTextOf, unstage, visibilityAfter, type Edit } from '../../staging/staging.ts'
import { Button } from '../../ui/button.tsx'
import { PlainChange, PlainValue } from '../../ui/plain-value.tsx'
import { placeName } from '../../ui/text/place-name.ts'
import { messageText } from '../../ui/text/message.ts'
import { StateText, type StateKind } from '../../ui/state.tsx'
import type { ProjectPlace } from '../project/data.ts'
import s from './review.module.css'

type Change = 'created' | 'value' | 'place' | 'unchanged' | 'deleted'

const verdicts: Readonly<Record<Change, readonly [string, string]>> = {
  created: ['+', 'new secret'],
  value: ['~', 'new value'],
  place: ['~', 'moved'],
  unchanged: ['=', 'unchanged, skipped'],
  deleted: ['−', 'deleted'],
}

/** What is stored now, whoever stored it, and what it becomes. */
const nowToNew = (edit: Edit, change: Change, stored: Secret): string => {
  const version = `v${stored.version}`
  if (change === 'value') return `, replaces ${version}`
  if (change === 'deleted') return ` with ${version}`
  const next = placeName({
    scope: edit.target?.scope ?? stored.scope,
    stagelet: edit.target?.stagelet === undefined ? stored.stagelet : (edit.target.stagelet ?? ''),
    environments: environmentsAfter(edit, stored),
  })
  return change === 'place' && placeName(stored) !== next ? `: ${placeName(stored)} → ${next}` : ''
}

/** Of a secret that is staged only. */
const newPlace = ({ scope, stagelet, fields }: Edit): Parameters<typeof placeName>[0] => {
  const environments = fields?.['environments']
  return { scope, stagelet, ...(Array.isArray(environments) && { environments }) }
}

const environmentsAfter = (
  { fields = {} }: Edit,
  stored: Secret,
): readonly string[] | undefined => {
  const { environments } = fields
  if (environments === undefined) return stored.environments
  return Array.isArray(environments) ? environments.map(String) : undefined
}

const isMoved = ({ target, fields = {} }: Edit): boolean =>
  target !== undefined || 'environments' in fields

/** What the edit makes of the visibility, where it changes that. */
const becomes = (edit: Edit, stored: Secret | undefined): string => {
  const [before, after] = [stored?.visibility ?? 'Masked', visibilityAfter(edit, stored)]
  return edit.op === 'delete' || before === after ? '' : `, ${after.toLowerCase()} from now on`
}

/** A value that is plain, before and after. */
const Values = ({ edit, stored }: { readonly edit: Edit; readonly stored: Secret | undefined }) => {
  const after = edit.op === 'delete' ? undefined : plainTextOf(edit, stored)
  if (stored === undefined) return after === undefined ? null : <PlainValue text={after} />
  if (edit.op === 'delete' || edit.bytes === undefined)
    return stored.value === undefined ? null : <PlainValue text={stored.value} />
  return <PlainChange from={stored.value} to={after} />
}

const verdictOf = (change: Change | undefined): readonly [string, string] =>
  change === undefined ? ['·', 'not reviewed yet'] : verdicts[change]

const editText = (edit: Edit, change: Change | undefined, stored: Secret | undefined): string =>
  [
    change === 'place' && !isMoved(edit) ? 'same value' : verdictOf(change)[1],
    edit.bytes === undefined ? '' : `, ${edit.bytes} bytes`,
    change === undefined || stored === undefined ? '' : nowToNew(edit, change, stored),
    becomes(edit, stored),
  ].join('')

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
        const [sign] = verdictOf(change)
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
              <b class="mono">{edit.key}</b>{' '}
              <span class="muted">{placeName(stored ?? newPlace(edit))}</span>
              <p>{editText(edit, change, stored)}</p>
              <Values edit={edit} stored={stored} />
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
