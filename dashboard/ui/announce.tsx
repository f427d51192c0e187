// What is said to who hears the page, and shown for some seconds: one polite region for all, with at most one
// message in five seconds, and toasts for what the person did.
import { signal } from '@preact/signals'
import type { StateKind } from './state.tsx'
import { Glyph } from './state.tsx'
import { Button } from './button.tsx'
import X from 'icon:x'
import s from './announce.module.css'

const quietMs = 5000
const announcement = signal('')
let waiting: string | undefined
let free = true

/** Says it in the live region. Of several messages within five seconds the newest is said. */
export const announce = (text: string): void => {
  if (!free) {
    waiting = text
    return
  }
  announcement.value = text
  free = false
  setTimeout(() => {
    free = true
    const next = waiting
    waiting = undefined
    if (next !== undefined) announce(next)
  }, quietMs)
}

interface Toast {
  readonly kind: StateKind
  readonly text: string
}

const toasts = signal<readonly (Toast & { readonly id: number })[]>([])
let lastId = 0

const drop = (id: number): void => {
  toasts.value = toasts.peek().filter((toast) => toast.id !== id)
}

/** A failure stays until it is closed. */
export const toast = (message: Toast): void => {
  const id = ++lastId
  toasts.value = [...toasts.peek(), { ...message, id }].slice(-4)
  if (message.kind !== 'fail') setTimeout(() => drop(id), 8000)
}

export const Announcements = () => (
  <>
    <div class="visually-hidden" role="status" aria-live="polite">
      {announcement}
    </div>
    <div class={s['toasts']} role="log" aria-label="Messages">
      {toasts.value.map(({ id, kind, text }) => (
        <div key={id} class={s['toast']}>
          <Glyph kind={kind} />
          <p>{text}</p>
          <Button small variant="quiet" label="Dismiss" onPress={() => drop(id)}>
            <X size={14} />
          </Button>
        </div>
      ))}
    </div>
  </>
)
