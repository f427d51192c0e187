// Bringing in a file of secrets: read in this page, by the parsers of the command line, and staged as other edits are.
import { useRef, useState } from 'preact/hooks'
import type { Structured } from '../../../../src/formats/structured.ts'
import { everyService } from '../../../../src/secrets/place.ts'
import { stageAll } from '../../../staging/staging.ts'
import { Button } from '../../../ui/button.tsx'
import { Dialog } from '../../../ui/dialogs/dialog.tsx'
import { StateText } from '../../../ui/state.tsx'
import { partOf } from '../../../live/known.ts'
import { useProjectFound, type ProjectPlace, type ProjectSecrets } from '../../project/data.ts'
import type { EditTarget } from '../edit/edit-plan.ts'
import { titleOf } from '../../../ui/problem.tsx'
import { formatOf, importFormats, readSecrets, type ImportFormat } from './import-file.ts'
import { ImportLines } from './import-lines.tsx'
import {
  editsOfImport,
  isTaken,
  planFileImport,
  type Choices,
  type FileImport,
  type LineChoice,
} from './import-plan.ts'
import { PlaceFields, servicesOf } from '../edit/place-fields.tsx'
import f from '../../../ui/fields/form.module.css'
import { secretInput } from '../../../ui/fields/secret-input.ts'
import v from '../../../ui/fields/value-field.module.css'

const mostBytes = 33_554_432

/** What was dropped or pasted on the page. */
export interface ImportSource {
  readonly file?: File | undefined
  readonly text?: string | undefined
}

interface Props {
  readonly place: ProjectPlace
  readonly all: ProjectSecrets
  readonly given: ImportSource
  readonly onClose: () => void
}

interface Asked {
  readonly target: EditTarget
  readonly format: ImportFormat
  readonly choices: Choices
}

const nothing: Structured = { lines: [], faults: [] }
const empty: FileImport = { lines: [], faults: [] }

const useImport = ({ place, all }: Props) => {
  /** What was given, in no signal and no state. */
  const text = useRef('')
  const read = useRef(nothing)
  const round = useRef(0)
  const [asked, setAsked] = useState<Asked>({
    target: { scope: everyService, stagelet: '' },
    format: 'dotenv',
    choices: new Map(),
  })
  const [plan, setPlan] = useState(empty)
  const planOf = ({ target, choices }: Asked): FileImport =>
    planFileImport(
      read.current,
      target,
      all.rows.map(({ secret }) => secret),
      choices,
    )
  const ask = (part: Partial<Asked>): void => {
    const next = { ...asked, ...part }
    setAsked(next)
    setPlan(planOf(next))
  }
  const readAs = async (format: ImportFormat): Promise<void> => {
    const mine = ++round.current
    const waits = (error: unknown): void => {
      if (mine !== round.current) return
      const message = `the YAML parser could not be loaded: ${titleOf(error)} It is loaded again automatically.`
      read.current = { lines: [], faults: [{ where: 'the file', message }] }
      ask({ format, choices: new Map() })
    }
    const found = text.current === '' ? nothing : await readSecrets(format, text.current, waits)
    if (mine !== round.current) return
    read.current = found
    ask({ format, choices: new Map() })
  }
  const refuse = (message: string): void => {
    text.current = ''
    read.current = { lines: [], faults: [{ where: 'the file', message }] }
    ask({ choices: new Map() })
  }
  return {
    asked,
    plan,
    ask,
    readAs,
    give: (given: string, format: ImportFormat): void => {
      text.current = given
      void readAs(format)
    },
    readFile: async (file: File | undefined): Promise<void> => {
      if (file === undefined) return
      if (file.size > mostBytes) {
        refuse('is larger than 32 MiB')
        return
      }
      try {
        const bytes = await file.arrayBuffer()
        text.current = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
        await readAs(formatOf(file.name, text.current))
      } catch {
        refuse('is not text in UTF-8')
      }
    },
    choose: (where: string, choice: LineChoice): void => {
      const before = asked.choices.get(where)
      ask({ choices: new Map([...asked.choices, [where, { ...before, ...choice }]]) })
    },
    stage: (): void => {
      const stored = all.secrets
      stageAll(
        [place.team, place.project],
        editsOfImport(read.current, planOf(asked), stored).map(({ edit, value }) => ({
          edit,
          how: { value },
        })),
      )
      text.current = ''
      read.current = nothing
    },
  }
}

const why = ({ lines, faults }: FileImport, scope: string): string | undefined => {
  if (scope.trim() === '') return 'The scope is "global" or the name of a service.'
  if (faults.length > 0) return 'Fix the errors first: a file is imported as a whole.'
  return lines.some(isTaken) ? undefined : 'Choose or paste a file first.'
}

const formatNames: Readonly<Record<ImportFormat, string>> = {
  dotenv: '.env',
  json: 'JSON',
  yaml: 'YAML',
}

interface FieldProps {
  readonly file: ReturnType<typeof useImport>
}

const TextField = ({ file }: FieldProps) => {
  const field = useRef<HTMLTextAreaElement>(null)
  return (
    <div>
      <label class={f['label']} for="import-text">
        Paste the file
      </label>
      <textarea
        id="import-text"
        ref={field}
        class={`${v['field']} ${v['hidden']}`}
        rows={4}
        {...secretInput}
        placeholder="KEY=value"
        onPaste={(event) => {
          // As it is: a text area makes every line break "\n".
          event.preventDefault()
          if (field.current !== null) field.current.value = ''
          const text = event.clipboardData?.getData('text/plain') ?? ''
          file.give(text, formatOf(undefined, text))
        }}
        onInput={(event) => file.give(event.currentTarget.value, file.asked.format)}
      />
      <label class={v['file']}>
        Choose a file
        <input
          type="file"
          class="visually-hidden"
          onChange={(event) => {
            void file.readFile(event.currentTarget.files?.[0])
            event.currentTarget.value = ''
          }}
        />
      </label>
    </div>
  )
}

const FormatField = ({ file }: FieldProps) => (
  <label>
    <span>Format</span>
    <select
      value={file.asked.format}
      onChange={(event) => {
        void file.readAs(
          importFormats.find((format) => format === event.currentTarget.value) ?? 'dotenv',
        )
      }}
    >
      {importFormats.map((format) => (
        <option value={format}>{formatNames[format]}</option>
      ))}
    </select>
  </label>
)

export const ImportDialog = (props: Props) => {
  const { place, all, given, onClose } = props
  const file = useImport(props)
  const { plan, asked } = file
  const found = partOf(useProjectFound(place))
  const environments = (found?.environments ?? []).map(({ name }) => name)
  const doubted = plan.lines.filter((line) => isTaken(line) && line.doubt === true)
  const [isAsked, setIsAsked] = useState(false)
  const isRead = useRef(false)
  if (!isRead.current) {
    isRead.current = true
    if (given.file !== undefined) void file.readFile(given.file)
    else if (given.text !== undefined) file.give(given.text, formatOf(undefined, given.text))
  }
  const whyNot = why(plan, asked.target.scope)
  const count = plan.lines.filter(isTaken).length
  return (
    <Dialog title="Import secrets" wide onClose={onClose}>
      <form
        class={f['form']}
        onDrop={(event) => {
          event.preventDefault()
          void file.readFile(event.dataTransfer?.files[0])
        }}
        onSubmit={(event) => {
          event.preventDefault()
          if (whyNot !== undefined) return
          if (doubted.length > 0 && !isAsked) {
            setIsAsked(true)
            return
          }
          file.stage()
          onClose()
        }}
      >
        <TextField file={file} />
        <FormatField file={file} />
        <PlaceFields
          environments={environments}
          fields={asked.target}
          stagelets={all.stagelets}
          change={(part) => file.ask({ target: { ...asked.target, ...part } })}
        />
        {plan.faults.length === 0 ? null : (
          <ul class={f['error']} role="alert">
            {plan.faults.map(({ where, message }) => (
              <li key={where + message}>
                {where}: {message}
              </li>
            ))}
          </ul>
        )}
        {plan.lines.length === 0 ? null : (
          <ImportLines
            lines={plan.lines}
            scopes={[everyService, ...servicesOf(all.stagelets)]}
            onChoose={file.choose}
          />
        )}
        {isAsked && doubted.length > 0 ? (
          <p role="alert">
            <StateText kind="warn">
              {`Plain, and look like secrets: ${doubted.map(({ key }) => key).join(', ')}. Everybody who sees their names sees plain values.`}
            </StateText>
          </p>
        ) : null}
        <div class={f['buttons']}>
          <Button onPress={onClose}>Cancel</Button>
          <Button variant="primary" submit whyNot={whyNot} onPress={() => undefined}>
            {`Stage ${count} ${count === 1 ? 'secret' : 'secrets'}${isAsked && doubted.length > 0 ? ' all the same' : ''}`}
          </Button>
        </div>
      </form>
    </Dialog>
  )
}
