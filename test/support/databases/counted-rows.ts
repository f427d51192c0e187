// Rows of a large store that count how often, and how many in one turn of the event loop, they are parsed.
import type { KubeObject } from '../../../src/resources/meta.ts'
import type { ListedObject } from '../../../src/store/store.ts'

interface Counted {
  readonly rows: readonly ListedObject[]
  readonly parsed: number
  readonly mostInOneTurn: number
}

export const uidOf = (index: number): string =>
  `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`

export const countedRows = (kind: string, count: number): Counted => {
  let parsed = 0
  let inThisTurn = 0
  let mostInOneTurn = 0
  const parse = (text: string): KubeObject => {
    parsed += 1
    if (inThisTurn === 0) setImmediate(() => (inThisTurn = 0))
    inThisTurn += 1
    mostInOneTurn = Math.max(mostInOneTurn, inThisTurn)
    return JSON.parse(text) as KubeObject
  }
  const rows = Array.from({ length: count }, (_, index) => {
    const uid = uidOf(index)
    const metadata = { namespace: 'default', name: `secret-${index}`, uid }
    const text = JSON.stringify({ apiVersion: 'stagely.dev/v1alpha1', kind, metadata })
    return {
      id: `${kind}/default/${metadata.name}`,
      uid,
      rv: 1,
      text,
      get object() {
        return parse(text)
      },
    }
  })
  return {
    rows,
    get parsed() {
      return parsed
    },
    get mostInOneTurn() {
      return mostInOneTurn
    },
  }
}
