import { expect, it } from 'vitest'
import { silentLogger } from '../../src/kernel/log.ts'
import { createAbout } from './about.ts'

it('tells the versions of engine and Compose as they are now, and the last known of what does not answer', async () => {
  const engine = { answer: (): Promise<string> => Promise.resolve('26.1.5') }
  const compose = { version: '2.26.1', lookAgain: () => Promise.resolve() }
  const about = createAbout(
    { boot: 'b', version: 'v' },
    { engine: { version: () => engine.answer() }, compose, log: silentLogger },
  )
  expect(about.current()).toEqual({ boot: 'b', version: 'v', composeVersion: '2.26.1' })
  await about.refresh()
  expect(about.current().engineVersion).toBe('26.1.5')
  engine.answer = () => Promise.resolve('28.0.0')
  compose.lookAgain = () => {
    compose.version = '2.40.0'
    return Promise.resolve()
  }
  await about.refresh()
  const upgraded = { boot: 'b', version: 'v', engineVersion: '28.0.0', composeVersion: '2.40.0' }
  expect(about.current()).toEqual(upgraded)
  engine.answer = () => Promise.reject(new Error('gone'))
  compose.lookAgain = () => Promise.reject(new Error('gone'))
  await about.refresh()
  expect(about.current()).toEqual(upgraded)
})
