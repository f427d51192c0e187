// How many values this tab has read: "last read" is read again after each.
import { signal } from '@preact/signals'

export const readCount = signal(0)
