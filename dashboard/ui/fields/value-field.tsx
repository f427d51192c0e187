// The field for a new value. It is never filled by the page: not with the stored value, and not with a mask. What
// is typed is hidden, not by `type=password`, so that no browser offers to save it, and no spell checker gets it.
// The text is read when it is staged, and the field is emptied then.
import type { Ref } from 'preact'
import { useImperativeHandle, useRef, useState } from 'preact/hooks'
import { Button } from '../button.tsx'
import { maskWords, maxValueBytes, valueWarnings, tooLarge } from '../text/value-warnings.ts'
import { Glyph } from '../state.tsx'
import { secretInput } from './secret-input.ts'
import s from './value-field.module.css'

interface TakenValue {
  readonly value: { readonly value: string } | { readonly value_base64: string }
  readonly bytes: number
}

export interface ValueHandle {
  /** True where a value is given. */
  readonly has: () => boolean
  /** What is given, as text; undefined: nothing. */
  readonly text: () => string | undefined
  /** The value and its length; empties the field. undefined: nothing was given. */
  readonly take: () => TakenValue | undefined
}

interface Props {
  readonly id: string
  readonly handle: Ref<ValueHandle>
  /** The stored value stays where nothing is given. */
  readonly keeps?: boolean
  /** A file may be chosen or dropped, of any bytes. */
  readonly takesFile?: boolean
  /** The value is no secret: what is typed may be seen. */
  readonly isPlain?: boolean
  /** The focus is here when the dialog opens. */
  readonly first?: boolean
}

const base64Of = (bytes: Uint8Array): string => {
  let text = ''
  for (let at = 0; at < bytes.length; at += 0x8000)
    text += String.fromCharCode(...bytes.subarray(at, at + 0x8000))
  return btoa(text)
}

export const ValueField = ({ id, handle, keeps, takesFile, isPlain = false, first }: Props) => {
  const field = useRef<HTMLTextAreaElement>(null)
  const file = useRef<{ name: string; bytes: Uint8Array } | undefined>(undefined)
  const [shown, setShown] = useState<{ bytes: number; odd: readonly string[]; file?: string }>({
    bytes: 0,
    odd: [],
  })
  const [isSeen, setIsSeen] = useState(false)
  const showWarnings = (): void => {
    const text = field.current?.value ?? ''
    file.current = undefined
    setShown({
      bytes: new TextEncoder().encode(text).length,
      odd: text === '' ? [] : valueWarnings(text),
    })
  }
  const takeFile = async (chosen: File | undefined): Promise<void> => {
    if (chosen === undefined) return
    if (chosen.size > maxValueBytes) {
      setShown({ bytes: chosen.size, odd: [tooLarge] })
      return
    }
    const bytes = new Uint8Array(await chosen.arrayBuffer())
    file.current = { name: chosen.name, bytes }
    if (field.current !== null) field.current.value = ''
    const text = new TextDecoder().decode(bytes.subarray(0, 1024)).trimEnd()
    setShown({ bytes: chosen.size, odd: maskWords(text), file: chosen.name })
  }
  /** A text area makes every line break "\n": text with others is kept beside it, as it is. */
  const paste = (event: ClipboardEvent): void => {
    const text = event.clipboardData?.getData('text/plain') ?? ''
    if (!text.includes('\r')) return
    event.preventDefault()
    const bytes = new TextEncoder().encode(text)
    file.current = { name: 'pasted text', bytes }
    if (field.current !== null) field.current.value = ''
    setShown({ bytes: bytes.length, odd: valueWarnings(text), file: 'pasted text' })
  }
  useImperativeHandle(handle, () => ({
    has: () => file.current !== undefined || (field.current?.value ?? '') !== '',
    text: () => {
      const chosen = file.current?.bytes
      if (chosen !== undefined) return new TextDecoder().decode(chosen)
      return field.current?.value === '' ? undefined : field.current?.value
    },
    take: () => {
      const text = field.current?.value ?? ''
      const chosen = file.current
      if (field.current !== null) field.current.value = ''
      file.current = undefined
      setShown({ bytes: 0, odd: [] })
      if (chosen !== undefined)
        return { value: { value_base64: base64Of(chosen.bytes) }, bytes: chosen.bytes.length }
      if (text === '') return undefined
      return { value: { value: text }, bytes: new TextEncoder().encode(text).length }
    },
  }))
  return (
    <div
      onDragOver={(event) => event.preventDefault()}
      onDrop={(event) => {
        event.preventDefault()
        event.stopPropagation()
        if (takesFile === true) void takeFile(event.dataTransfer?.files[0])
      }}
    >
      <textarea
        id={id}
        ref={field}
        class={`${s['field']} ${isSeen || isPlain ? '' : s['hidden']}`}
        rows={3}
        placeholder={keeps === true ? 'new value; the stored one stays' : ''}
        autofocus={first}
        {...secretInput}
        onInput={showWarnings}
        onPaste={paste}
      />
      <div class={s['under']}>
        <span class="num">
          {shown.file === undefined ? '' : `${shown.file}, `}
          {shown.bytes} bytes
        </span>
        {shown.odd.map((text) => (
          <span key={text} class={s['odd']}>
            <Glyph kind="warn" /> {text}
          </span>
        ))}
        <span class={s['space']} />
        {isPlain ? null : (
          <Button small variant="quiet" onPress={() => setIsSeen(!isSeen)}>
            {isSeen ? 'Hide input' : 'Show input'}
          </Button>
        )}
        {takesFile === true ? (
          <label class={s['file']}>
            Choose a file
            <input
              type="file"
              class="visually-hidden"
              onChange={(event) => {
                void takeFile(event.currentTarget.files?.[0])
                event.currentTarget.value = ''
              }}
            />
          </label>
        ) : null}
      </div>
    </div>
  )
}
