// A command that was chosen elsewhere, such as in the palette: the button that has its name is pressed as soon as
// its page is there.
import { signal } from '@preact/signals'
import type { RefObject } from 'preact'
import { useEffect } from 'preact/hooks'
import { now } from '../api/clock.ts'

interface Asked {
  readonly command: string
  readonly until: number
}
const asked = signal<Asked | undefined>(undefined)

/** A page that takes longer than this is no longer waited for. */
const patienceMs = 10_000

export const askFor = (command: string): void => {
  asked.value = { command, until: now() + patienceMs }
}

/** Presses the button, as a person would: one that may not be pressed says why. */
export const useCommand = (
  command: string | undefined,
  button: RefObject<HTMLButtonElement | null>,
): void => {
  const isAsked = command !== undefined && asked.value?.command === command
  useEffect(() => {
    if (!isAsked) return
    const isTooLate = (asked.peek()?.until ?? 0) < now()
    asked.value = undefined
    if (isTooLate) return
    button.current?.focus()
    button.current?.click()
  }, [isAsked])
}
