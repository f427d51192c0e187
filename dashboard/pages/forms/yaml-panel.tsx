// The manifest beside the form: exactly what is applied. What is typed in it is in the form at once.
import { useEffect, useId } from 'preact/hooks'
import { yamlFile } from '../../loading/yaml-file.ts'
import { Panel } from '../../ui/page.tsx'
import { Faults } from './labelled.tsx'
import f from '../../ui/fields/form.module.css'

/** What a text says; a fault where it is no YAML. */
export type ParsedYaml = { readonly value: unknown } | { readonly fault: string }

interface Props {
  readonly text: string
  readonly faults: readonly string[]
  readonly disabled: boolean
  readonly onText: (text: string, parsed: ParsedYaml) => void
}

export const YamlPanel = ({ text, faults, disabled, onText }: Props) => {
  const id = useId()
  useEffect(() => yamlFile.want(), [])
  const file = yamlFile.file.value
  const read = file.state === 'known' ? file.value.readYaml : undefined
  return (
    <Panel title={<label for={id}>YAML</label>}>
      <textarea
        id={id}
        class={f['area']}
        rows={Math.min(32, Math.max(12, text.split('\n').length + 1))}
        readOnly={disabled || read === undefined}
        spellcheck={false}
        aria-invalid={faults.length > 0}
        aria-describedby={`${id}-faults`}
        value={text}
        onInput={({ currentTarget: { value } }) => {
          if (read === undefined) return
          const parsed = read(value)
          onText(
            value,
            'value' in parsed
              ? parsed
              : {
                  fault: `Line ${parsed.brokenLine} is not valid YAML. The form shows what was before.`,
                },
          )
        }}
      />
      <Faults id={`${id}-faults`} faults={faults} />
    </Panel>
  )
}
