import { describe, expect, it } from 'vitest'
import { nearName } from './near-name.ts'

describe('nearName', () => {
  it('takes two letters that changed places for one slip', () => {
    expect(nearName('wbe', ['db', 'web'])).toBe('web')
  })

  it('takes a name in another case before all others', () => {
    expect(nearName('API', ['apu', 'api'])).toBe('api')
  })

  it('knows a name that is two edits away, and none that is further', () => {
    expect(nearName('bakcned', ['backend'])).toBe('backend')
    expect(nearName('front', ['backend'])).toBeUndefined()
  })
})
