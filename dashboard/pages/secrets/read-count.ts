// How many values this tab has read: what is known of readings is asked for again after each.
import { signal } from '@preact/signals'

export const readCount = signal(0)
