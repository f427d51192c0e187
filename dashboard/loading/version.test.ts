import { expect, it } from 'vitest'
import { isOfBuild } from './version.ts'

it('knows a build by the file that its shell names', () => {
  const shell = '<script type="module" crossorigin src="/ui/assets/index-U8dLRkEF.js"></script>'
  expect(isOfBuild(shell, 'https://stagely.example/ui/assets/index-U8dLRkEF.js')).toBe(true)
  expect(isOfBuild(shell, 'https://stagely.example/ui/assets/index-OtherOne.js')).toBe(false)
})
