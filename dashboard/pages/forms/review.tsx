// What an edit does, before it is done: what changes of the manifest, and which containers it re-creates.
import type { Spec } from '../../actions/kinds.ts'
import type { ApiAction } from '../../actions/copy-as.ts'
import { Button } from '../../ui/button.tsx'
import { CopyAs } from '../../ui/copy-as.tsx'
import { Panel } from '../../ui/page.tsx'
import { ProblemBox } from '../../ui/problem.tsx'
import { changesOf, YamlDiff } from '../../ui/yaml-diff.tsx'
import { ImpactTable } from '../review/impact.tsx'
import type { EditableKind, WriteAnswer } from './kinds.ts'
import f from '../../ui/form.module.css'

interface Props {
  readonly of: EditableKind
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

/** Only the agent knows what a change of the files means for containers. */
const ofFiles = (before: Spec, after: Spec): string | undefined => {
  if (JSON.stringify(before['compose']) === JSON.stringify(after['compose'])) return undefined
  const compose = after['compose'] as Spec | undefined
  return compose?.['onChange'] === 'Deploy'
    ? 'The agent then reads the Compose files anew, and re-creates the services that differ.'
    : 'The agent then reads the Compose files anew. Services that differ are shown as held edits on the page of the stack, until somebody deploys them.'
}

export const ObjectReview = (props: Props) => {
  const { of, isNew, before, after, tried, action, busy, error, onApply, onBack } = props
  const files = of.kind === 'Stagelet' && !isNew ? ofFiles(before, after) : undefined
  return (
    <Panel title="Review">
      <div class={f['form']}>
        {error === undefined ? null : <ProblemBox error={error} />}
        <YamlDiff lines={changesOf(before, after)} />
        {tried.impact === undefined ? (
          <p>{of.effect}</p>
        ) : (
          <ImpactTable impact={tried.impact} isOld={false} />
        )}
        {files === undefined ? null : <p>{files}</p>}
        <CopyAs action={action} />
        <div class={f['buttons']}>
          <Button onPress={onBack}>Back to the form</Button>
          <Button first look="primary" busy={busy} onPress={onApply}>
            {isNew ? `Make the ${of.word}` : 'Apply'}
          </Button>
        </div>
      </div>
    </Panel>
  )
}
