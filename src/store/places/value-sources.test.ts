import { expect, it } from 'vitest'
import { secretOf } from '../../../test/support/databases/store-fixtures.ts'
import { keyOf, refOf, type KubeObject } from '../../resources/meta.ts'
import { specOf } from '../../kinds/typed.ts'
import { term } from '../state/rows.ts'
import { valueSourcesOf } from './value-sources.ts'

const secret = (name: string, valueFrom?: object): KubeObject =>
  secretOf('default', name, { key: name.toUpperCase(), valueFrom })
const taken = (key: string, property?: string): object => ({
  external: { store: 'vault', key, ...(property !== undefined && { property }) },
})

const namesFor = (wanted: KubeObject, all: readonly KubeObject[]): [string[], boolean] => {
  const rows = new Map(all.map((object) => [keyOf(refOf(object)), { object }]))
  const isTaken = (object: KubeObject, wantedTerm: string): boolean => {
    const { external } = specOf('StagelySecret', object).valueFrom ?? {}
    return external !== undefined && term.fromStore('default', external) === wantedTerm
  }
  const objects = {
    get: (key: string) => rows.get(key),
    withTerm: (wantedTerm: string) =>
      [...rows.values()].filter(({ object }) => isTaken(object, wantedTerm)),
  }
  const { secrets, isOpen } = valueSourcesOf({ objects } as never, wanted)
  return [secrets.map(({ metadata }) => metadata.name), isOpen]
}

const prod = secret('prod', taken('prod/db'))
const user = secret('user', taken('prod/db', '/user'))
const other = secret('other', taken('prod/other'))
const follower = secret('follower', { secretRef: { name: 'prod' } })

it('has the value of what it follows, and of whatever takes the same key of the same store', () => {
  const all = [prod, user, other, follower]
  const leak = secret('leak', taken('prod/db', '/password'))
  expect(namesFor(leak, all)).toEqual([['leak', 'prod', 'user'], false])
  expect(namesFor(follower, all)).toEqual([['follower', 'prod', 'user'], false])
  expect(namesFor(other, all)).toEqual([['other'], false])
  expect(namesFor(secret('own'), all)).toEqual([['own'], false])
})

it.each([
  ['db', '/db'],
  ['prod/db', '/prod//db'],
  ['Servers/Postgres', 'servers/postgres'],
  ['prod/db', 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/db-a1B2c3'],
  ['prod/db', 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/db'],
])('takes %s and %s for one key', (one, another) => {
  const all = [secret('one', taken(one)), secret('another', taken(another))]
  expect(namesFor(all[0]!, all)).toEqual([['one', 'another'], false])
})

it('is open where what it follows is not there, and ends in a circle', () => {
  expect(namesFor(follower, [])).toEqual([['follower'], true])
  const round = secret('round', { secretRef: { name: 'back' } })
  const back = secret('back', { secretRef: { name: 'round' } })
  expect(namesFor(round, [round, back])).toEqual([['round', 'back'], false])
})
