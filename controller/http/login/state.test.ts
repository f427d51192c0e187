import { expect, it } from 'vitest'
import { parseState, renderState } from './state.ts'

const key = Buffer.alloc(32, 1)
const login = { redirectUri: 'http://127.0.0.1:80/callback', clientState: 's', challenge: 'c' }

it('is read by whoever made it, for ten minutes', () => {
  const state = renderState(key, login, 1_000)
  expect(parseState(key, state, 600_999)).toMatchObject(login)
  expect(parseState(key, state, 601_000)).toBeUndefined()
  expect(renderState(key, login, 1_000)).not.toBe(state)
})

it('is nothing where it was changed, made by others, or is no state', () => {
  const state = renderState(key, login, 1_000)
  const [payload = '', signature = ''] = state.split('.')
  const other = renderState(Buffer.alloc(32, 2), login, 1_000)
  const changed = Buffer.from(JSON.stringify({ ...login, expiresAt: 1e15, salt: '' }))
  for (const wrong of [
    ...['', '.', 'none', payload, `${payload}.`, `.${signature}`, other],
    `${changed.toString('base64url')}.${signature}`,
  ])
    expect(parseState(key, wrong, 1_000)).toBeUndefined()
})
