import { describe, expect, it } from 'vitest'
import { findUses, hintFor, missedAmong } from './variable-uses.ts'

const written = {
  services: {
    web: {
      image: 'web:${TAG}',
      environment: {
        PASSWORD: '${PASSWORD:-}',
        URL: 'pg://u:${PASSWORD}@${HOST}',
        PRICE: '$$COST',
      },
    },
    db: { environment: ['PASSWORD=${PASSWORD}', 'BARE', '${NAME}=1', 'TAGGED=${TAG}'] },
    cache: null,
  },
  networks: { default: { name: '${NET}' } },
}
const secrets =
  (...places: string[]) =>
  ({ service, key }: { service: string; key: string }): boolean =>
    places.includes(`${service}/${key}`)

describe('a variable of the files', () => {
  const uses = findUses(written)
  const unset = ['COST', 'HOST', 'NAME', 'NET', 'PASSWORD', 'TAG']

  it('is not missed where secrets take each place that it is for', () => {
    const all = secrets('web/PASSWORD', 'web/URL', 'db/PASSWORD', 'db/TAGGED')
    expect(missedAmong(unset, uses, all)).toEqual(['COST', 'NAME', 'NET', 'TAG'])
  })

  it('is missed where one place of it is left, or nothing is known of its places', () => {
    const some = secrets('web/PASSWORD', 'db/PASSWORD')
    expect(missedAmong(['PASSWORD'], uses, some)).toEqual(['PASSWORD'])
    expect(missedAmong(['PASSWORD'], new Map(), () => true)).toEqual(['PASSWORD'])
  })

  it('that Compose insists on is told of as the secret that it is', () => {
    const own = { key: 'PASSWORD', scope: 'db', type: 'env' }
    expect(hintFor(['PASSWORD', 'HOST'], [own, { ...own, scope: 'web' }])).toMatch(
      /PASSWORD is one of db, web, which gets it by itself: take \$\{PASSWORD…\} out/,
    )
    expect(
      hintFor(
        ['PASSWORD'],
        [
          { ...own, type: 'file' },
          { ...own, scope: 'global' },
        ],
      ),
    ).toBe('')
  })
})
