// Bringing in a .env file: read in this page, by the parser of the command line, and staged as other edits are.
import { useRef, useState } from 'preact/hooks'
import type { Stagelet } from '../../api/types.ts'
import { stage } from '../../staging/staging.ts'
import { Button } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { Table } from '../../ui/table.tsx'
import type { ProjectPlace, SecretRow } from './data.ts'
import { PlaceFields } from './edit.tsx'
import { isAt, planImport, type ImportPlan, type PlannedLine, type Target } from './import-plan.ts'
import f from '../../ui/form.module.css'
import v from '../../ui/value-field.module.css'

const mostBytes = 1_048_576

interface Props {
  readonly place: ProjectPlace
  readonly rows: readonly SecretRow[]
  readonly stagelets: readonly Stagelet[]
  /** A file that was dropped on the page. */
  readonly dropped?: File | undefined
  readonly onClose: () => void
}

type Shown = Omit<PlannedLine, 'value'> & { readonly bytes: number }

/** What the table needs: no value. */
const shownOf = ({ lines }: ImportPlan): Shown[] =>
  lines.map(({ key, where, value, does }) => ({
    key,
    where,
    does,
    bytes: new TextEncoder().encode(value).length,
  }))

const countOf = (lines: readonly Shown[]): number =>
  lines.filter(({ does }) => does !== 'given again below').length

const stageAll = ({ place, rows }: Props, target: Target, plan: ImportPlan): void => {
  for (const { key, value, does } of plan.lines) {
    if (does === 'given again below') continue
    const stored = rows.find(
      ({ secret }) => secret.name !== '' && isAt(secret, key, target),
    )?.secret
    stage(
      [place.team, place.project],
      {
        op: stored === undefined ? 'create' : 'update',
        key,
        scope: target.scope,
        stagelet: target.stagelet === '' ? undefined : target.stagelet,
        type: stored?.type ?? 'env',
        bytes: new TextEncoder().encode(value).length,
        ...(stored === undefined ? {} : { secretId: stored.id, fromVersion: stored.version }),
      },
      { value },
    )
  }
}

const useFile = (props: Props, target: Target) => {
  /** The content, in no signal and no state. */
  const text = useRef('')
  const [shown, setShown] = useState<{
    readonly lines: readonly Shown[]
    readonly faults: ImportPlan['faults']
  }>({ lines: [], faults: [] })
  const planOf = (of: Target): ImportPlan =>
    planImport(
      text.current,
      of,
      props.rows.map(({ secret }) => secret),
    )
  const look = (of: Target): void => {
    const plan = planOf(of)
    setShown({ lines: shownOf(plan), faults: plan.faults })
  }
  const refuse = (message: string): void => {
    text.current = ''
    setShown({ lines: [], faults: [{ where: 'the file', message }] })
  }
  return {
    ...shown,
    look,
    give: (given: string): void => {
      text.current = given
      look(target)
    },
    read: async (file: File | undefined): Promise<void> => {
      if (file === undefined) return
      if (file.size > mostBytes) {
        refuse('is larger than 1 MiB')
        return
      }
      try {
        text.current = new TextDecoder('utf-8', { fatal: true }).decode(await file.arrayBuffer())
        look(target)
      } catch {
        refuse('is not text in UTF-8')
      }
    },
    stage: (): void => {
      stageAll(props, target, planOf(target))
      text.current = ''
    },
  }
}

const why = (lines: readonly Shown[], faults: number, scope: string): string | undefined => {
  if (scope.trim() === '') return 'The scope is "global" or the name of a service.'
  if (faults > 0) return 'Mend the lines first: a file is taken whole or not at all.'
  return lines.length === 0 ? 'Nothing is given yet.' : undefined
}

export const ImportDialog = (props: Props) => {
  const [target, setTarget] = useState<Target>({ scope: 'global', stagelet: '' })
  const file = useFile(props, target)
  const field = useRef<HTMLTextAreaElement>(null)
  const isRead = useRef(false)
  if (props.dropped !== undefined && !isRead.current) {
    isRead.current = true
    void file.read(props.dropped)
  }
  const whyNot = why(file.lines, file.faults.length, target.scope)
  return (
    <Dialog title="Import a .env file" wide onClose={props.onClose}>
      <form
        class={f['form']}
        onSubmit={(event) => {
          event.preventDefault()
          if (whyNot !== undefined) return
          file.stage()
          props.onClose()
        }}
      >
        <div>
          <label class={f['label']} for="import-text">
            Paste the file
          </label>
          <textarea
            id="import-text"
            ref={field}
            class={`${v['field']} ${v['hidden']}`}
            rows={4}
            autocomplete="off"
            spellcheck={false}
            autocapitalize="off"
            autocorrect="off"
            translate={false}
            data-1p-ignore
            data-lpignore="true"
            data-bwignore
            data-form-type="other"
            placeholder="KEY=value"
            onPaste={(event) => {
              // As it is: a text area makes every line break "\n".
              event.preventDefault()
              if (field.current !== null) field.current.value = ''
              file.give(event.clipboardData?.getData('text/plain') ?? '')
            }}
            onInput={(event) => {
              file.give(event.currentTarget.value)
            }}
          />
          <label class={v['file']}>
            Choose a file
            <input
              type="file"
              class="visually-hidden"
              onChange={(event) => {
                void file.read(event.currentTarget.files?.[0])
                event.currentTarget.value = ''
              }}
            />
          </label>
        </div>
        <PlaceFields
          fields={target}
          stagelets={props.stagelets}
          change={(part) => {
            const next = { ...target, ...part }
            setTarget(next)
            file.look(next)
          }}
        />
        {file.faults.length === 0 ? null : (
          <ul class={f['error']} role="alert">
            {file.faults.map(({ where, message }) => (
              <li key={where + message}>
                {where}: {message}
              </li>
            ))}
          </ul>
        )}
        {file.lines.length === 0 ? null : (
          <Table
            label="Lines of the file"
            rows={file.lines}
            idOf={({ where }) => where}
            columns={[
              { title: 'Key', head: true, render: ({ key }) => <code>{key}</code> },
              { title: 'Line', end: true, render: ({ where }) => where.replace('line ', '') },
              { title: 'Bytes', end: true, render: ({ bytes }) => bytes },
              { title: 'Does', render: ({ does }) => does },
            ]}
          />
        )}
        <div class={f['buttons']}>
          <Button onPress={props.onClose}>Cancel</Button>
          <Button look="primary" submit whyNot={whyNot} onPress={() => undefined}>
            {`Stage ${countOf(file.lines)} secrets`}
          </Button>
        </div>
      </form>
    </Dialog>
  )
}
