import { expect, it } from 'vitest'
import { withMoments } from './message.ts'

it('says moments as the rest of the page does, and leaves all else', () => {
  const now = new Date(2026, 10, 28, 12).getTime()
  const iso = (month: number, day: number): string =>
    new Date(2026, month, day, 14, 2, 9).toISOString()
  const written = (text: string): string => withMoments(text, now)
  expect(written(`the value ends at ${iso(2, 2)}, in 9 d`)).toBe(
    'the value ends at 2 Mar 14:02, in 9 d',
  )
  expect(written(`healed, since ${iso(10, 28).replace('Z', '123Z')}: web`)).toBe(
    'healed, since 14:02:09: web',
  )
  expect(written('revision 2025-07-01T00:00:00Z')).toMatch(/^revision (30 Jun|1 Jul) 2025$/)
  for (const text of ['at 2026-13-41T25:61:00Z', 'x2026-03-02T14:02:00Z', 'on 2026-03-02'])
    expect(written(text)).toBe(text)
  expect(written('pay \u202Egpj')).toBe('pay <U+202E>gpj')
})
