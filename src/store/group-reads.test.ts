import { describe, expect, it } from 'vitest'
import { apiVersion, refOf, type KubeObject } from '../resources/meta.ts'
import { GroupReads } from './group-reads.ts'
import type { Queryable } from './sql.ts'

const secretOf = (name: string): KubeObject => ({
  apiVersion,
  kind: 'StagelySecret',
  metadata: { name, namespace: 'team' },
  spec: { projectRef: { name: 'shop' }, key: name.toUpperCase(), type: 'env', scope: 'global' },
})
const aboutNew = (name: string) => ({ ref: refOf(secretOf(name)), created: secretOf(name) })

/** A database that holds its answers back. */
const silent = () => {
  const asked: string[] = []
  let answer = (): void => undefined
  const answered = new Promise<void>((resolve) => (answer = resolve))
  const tx: Queryable = {
    query: (_text, params = []) => {
      asked.push(JSON.stringify(params))
      return answered.then(() => [])
    },
    exec: () => answered,
  }
  return {
    tx,
    asked,
    answer: () => {
      answer()
    },
  }
}

describe('GroupReads', () => {
  it('asks for all writes before the first is answered', async () => {
    const { tx, asked, answer } = silent()
    const writes = [aboutNew('a'), aboutNew('b')]
    const group = new GroupReads(tx, writes)
    expect(asked.filter((params) => params.includes('"A"'))).toHaveLength(1)
    expect(asked.filter((params) => params.includes('"B"'))).toHaveLength(1)
    answer()
    const before = asked.length
    const reads = await group.of(writes[1])
    expect(await reads?.fetch(writes[1]!.ref)).toBeUndefined()
    expect(asked).toHaveLength(before)
  })

  it('asks for none behind a write that may change anything', async () => {
    const { tx, asked, answer } = silent()
    const write = aboutNew('a')
    const group = new GroupReads(tx, [undefined, write])
    answer()
    expect(asked).toEqual([])
    expect(await group.of(write)).toBeUndefined()
  })
})
