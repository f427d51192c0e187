import { toFineTimestamp } from '../../src/kernel/clock.ts'
import { expect, it } from 'vitest'
import type { EngineEvent } from '../docker/engine.ts'
import type { ObservedContainer } from './container.ts'
import { createContainerLives } from './container-lives.ts'

const at = (second: number): string => toFineTimestamp(1_700_000_000_000 + second * 1000)
const event = (Action: string, id: string, second: number, digest = 'd1'): EngineEvent => ({
  Action,
  timeNano: (1_700_000_000_000 + second * 1000) * 1e6,
  Actor: {
    ID: `${id}-and-more-than-twelve`,
    Attributes: { 'com.docker.compose.service': 'web', 'dev.stagely.digest': digest },
  },
})
const container = (id: string, madeAt: string): ObservedContainer =>
  ({ id: `${id}-and-more-than-twelve`, madeAt }) as ObservedContainer
const ids = ['aaaaaaaaaaaa', 'bbbbbbbbbbbb', 'cccccccccccc'] as const
const [a, b, c] = ids

it('tells when containers with secrets were made and removed, by the engine', () => {
  const lives = createContainerLives()
  lives.note(event('create', a, 1))
  lives.note(event('create', b, 2, ''))
  lives.note(event('destroy', b, 3, ''))
  lives.note(event('destroy', a, 9))
  const life = { id: a, service: 'web', digest: 'd1', made: at(1), at: at(9) }
  expect(lives.removed([])).toEqual([life])
})

it('knows by a look when a container was made whose event was missed', () => {
  const lives = createContainerLives()
  lives.removed([container(a, at(1))])
  for (const id of [a, b]) lives.note(event('destroy', id, 9))
  expect(lives.removed([]).map(({ made }) => made)).toEqual([at(1), undefined])
})

it('asks once for what was missed, again after each gap, and tells nothing twice', async () => {
  const lives = createContainerLives()
  const asked: string[] = []
  let answer = (): Promise<EngineEvent[]> => Promise.reject(new Error('no engine'))
  const engine = {
    pastEvents: (project: string) => {
      asked.push(project)
      return answer()
    },
  }
  await expect(lives.catchUp(engine, 'shop')).rejects.toThrow('no engine')
  answer = () => Promise.resolve([event('create', c, 1), event('destroy', c, 2)])
  for (let i = 0; i < 3; i++) await lives.catchUp(engine, 'shop')
  expect(asked).toHaveLength(2)
  lives.note(undefined)
  await lives.catchUp(engine, 'shop')
  expect(asked).toHaveLength(3)
  expect(lives.removed([])).toEqual([
    { id: c, service: 'web', digest: 'd1', made: at(1), at: at(2) },
  ])
})

it('keeps the last 50', () => {
  const lives = createContainerLives()
  for (let i = 0; i < 80; i++) lives.note(event('destroy', String(i).padStart(12, '0'), i))
  const kept = lives.removed([])
  expect(kept).toHaveLength(50)
  expect(kept.at(-1)?.at).toBe(at(79))
})
