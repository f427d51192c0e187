import { expect, it } from 'vitest'
import { isPasswordOf, scramVerifier } from './scram.ts'

// The example of RFC 7677, whose password is "pencil", as Postgres stores it.
const salt = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64')
const stored =
  'SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU='

it('is what RFC 7677 makes of its example', () => {
  expect(scramVerifier('pencil', salt)).toBe(stored)
})

it('tells the password that it was made of from all others', () => {
  const verifier = scramVerifier('right')
  expect(isPasswordOf(verifier, { username: 'a', password: 'right' })).toBe(true)
  expect(isPasswordOf(verifier, { username: 'a', password: 'wrong' })).toBe(false)
  expect(verifier).not.toContain('right')
  expect(scramVerifier('right')).not.toBe(verifier)
})

it('knows the older form, and that no password is none', () => {
  const md5 = 'md5e8a48653851e28c69d0506508fb27fc5'
  expect(isPasswordOf(md5, { username: 'postgres', password: 'md5' })).toBe(false)
  expect(isPasswordOf('md53175bce1d3201d16594cebf9d7eb3f9d', login('postgres', 'postgres'))).toBe(
    true,
  )
  expect(isPasswordOf(null, login('postgres', ''))).toBe(false)
  expect(isPasswordOf('plain', login('postgres', 'plain'))).toBe(false)
})

const login = (username: string, password: string) => ({ username, password })
