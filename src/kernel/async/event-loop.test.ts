import { expect, it } from 'vitest'
import { nextTurn } from './event-loop.ts'

it('lets what has arrived go first, also between many who work for long', async () => {
  const said: string[] = []
  const work = async (name: string): Promise<void> => {
    for (let i = 0; i < 3; i++) {
      await nextTurn()
      said.push(name)
    }
  }
  // What arrives is served once in each turn.
  let isOver = false
  const arrive = (): void => {
    said.push('request')
    if (!isOver) setImmediate(arrive)
  }
  setImmediate(arrive)
  await Promise.all(['a', 'b', 'c'].map(work))
  isOver = true
  const between = said.join(' ').split('request')
  expect(Math.max(...between.map((part) => part.trim().split(' ').length))).toBe(1)
  expect(said.filter((name) => name === 'a')).toHaveLength(3)
})
