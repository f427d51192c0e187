// What an edit changes, as YAML: lines that go, and lines that come. It is what a file in Git would show.
import type { JsonValue } from '../api/text.ts'
import { yaml } from '../api/text.ts'
import { lineDiff, type DiffLine } from './text/line-diff.ts'
import s from './yaml-diff.module.css'

const signs = { same: ' ', gone: '−', new: '+' } as const
const words = { same: '', gone: 'goes: ', new: 'comes: ' } as const

const textOf = (spec: JsonValue): string =>
  Object.keys(spec as object).length === 0 ? '' : yaml(spec)

export const changesOf = (before: JsonValue, after: JsonValue): readonly DiffLine[] =>
  lineDiff(textOf(before), textOf(after))

export const isChanged = (lines: readonly DiffLine[]): boolean =>
  lines.some(({ kind }) => kind !== 'same')

/** `lines`: of `changesOf`. */
export const YamlDiff = ({ lines }: { readonly lines: readonly DiffLine[] }) => (
  <div class={s['diff']} role="group" aria-label="What changes, as YAML" tabIndex={0}>
    {isChanged(lines) ? (
      lines.map(({ kind, text }) => (
        <div class={s[kind]}>
          <span aria-hidden="true">{signs[kind]} </span>
          {kind === 'same' ? null : <span class="visually-hidden">{words[kind]}</span>}
          {text}
        </div>
      ))
    ) : (
      <p class="muted">No changes yet.</p>
    )}
  </div>
)
