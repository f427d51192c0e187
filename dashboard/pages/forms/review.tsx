// What an edit does, before it is done: what changes of the manifest, and which containers it re-creates.
import type { Spec } from '../../actions/kinds.ts'
import type { ApiAction } from '../../actions/copy-as.ts'
import { Button } from '../../ui/button.tsx'
import { CopyAs } from '../../ui/copy-as.tsx'
import { Panel } from '../../ui/page.tsx'
import { ProblemBox } from '../../ui/problem.tsx'
import { changesOf, YamlDiff } from '../../ui/yaml-diff.tsx'
import { ImpactTable, recreatesNone } from '../review/impact.tsx'
import { stackEffect } from './stack-effect.ts'
import type { EditableKind, WriteAnswer } from './kinds.ts'
import f from '../../ui/fields/form.module.css'

interface Props {
  readonly kind: EditableKind
  readonly isNew: boolean
  readonly before: Spec
  readonly after: Spec
  readonly tried: WriteAnswer
  readonly action: ApiAction
  readonly busy: boolean
  readonly error: unknown
  readonly onApply: () => void
  readonly onBack: () => void
}

export const ObjectReview = (props: Props) => {
  const { kind, isNew, before, after, tried, action, busy, error, onApply, onBack } = props
  const effect = kind.kind === 'Stagelet' && !isNew ? stackEffect(before, after) : undefined
  return (
    <Panel title="Review">
      <div class={f['form']}>
        {error === undefined ? null : <ProblemBox error={error} />}
        <YamlDiff lines={changesOf(before, after)} />
        {tried.impact === undefined ? (
          <p>{effect ?? kind.effect}</p>
        ) : (
          <>
            <ImpactTable
              impact={effect === undefined ? tried.impact : { ...tried.impact, untouched: 0 }}
              none={effect}
            />
            {effect === undefined || recreatesNone(tried.impact) ? null : <p>{effect}</p>}
          </>
        )}
        <CopyAs action={action} />
        <div class={f['buttons']}>
          <Button onPress={onBack}>Back to the form</Button>
          <Button first variant="primary" busy={busy} onPress={onApply}>
            {isNew ? `Make the ${kind.word}` : 'Apply'}
          </Button>
        </div>
      </div>
    </Panel>
  )
}
