// A file that is dropped anywhere on the page, and a text that is pasted where nobody types. A file that is dropped
// never takes the browser to another page.
import { useEffect, useRef } from 'preact/hooks'
import type { ImportSource } from './import/import.tsx'

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName)

const isDialogOpen = (): boolean => document.querySelector('dialog:modal') !== null

export const useDropped = (onGiven: (given: ImportSource) => void): void => {
  const tell = useRef(onGiven)
  tell.current = onGiven
  useEffect(() => {
    const over = (event: DragEvent): void => event.preventDefault()
    const drop = (event: DragEvent): void => {
      if (event.defaultPrevented) return
      event.preventDefault()
      const file = event.dataTransfer?.files[0]
      if (file !== undefined && !isDialogOpen()) tell.current({ file })
    }
    const paste = (event: ClipboardEvent): void => {
      if (isTyping(event.target) || isDialogOpen()) return
      const { files } = event.clipboardData ?? {}
      const file = files?.[0]
      const text = event.clipboardData?.getData('text/plain')
      if (file !== undefined) tell.current({ file })
      else if (text !== undefined && /[=:{]/.test(text)) tell.current({ text })
    }
    const ended = new AbortController()
    const once = { signal: ended.signal }
    document.addEventListener('dragover', over, once)
    document.addEventListener('drop', drop, once)
    document.addEventListener('paste', paste, once)
    return () => ended.abort()
  }, [])
}
