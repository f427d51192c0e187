import { describe, expect, it } from 'vitest'
import type { Compose, ComposeCall, ComposeOutput } from '../../src/compose/compose.ts'
import { withSlots } from './compose-slots.ts'

const call = (name: string): ComposeCall => ({ verb: [name], cwd: '/', env: {}, mask: (t) => t })

/** Runs end when the test says so. */
const fakeCompose = () => {
  const begun: string[] = []
  const running = new Map<string, (error?: Error) => void>()
  let most = 0
  const compose: Compose = {
    version: '2.40.0',
    run: ({ verb: [name = ''] }) =>
      new Promise<ComposeOutput>((resolve, reject) => {
        begun.push(name)
        running.set(name, (error) => {
          running.delete(name)
          if (error === undefined) resolve({ stdout: name, stderr: '' })
          else reject(error)
        })
        most = Math.max(most, running.size)
      }),
    pipe: () => Promise.resolve({ exitCode: 0, startError: undefined }),
    lookAgain: () => Promise.resolve(),
  }
  return { compose, begun, running, most: () => most }
}
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
const names = Array.from({ length: 50 }, (_, i) => `stack-${i}`)

describe('runs of Compose', () => {
  it('of fifty stacks at once are four at a time, in the order in which they came', async () => {
    const fake = fakeCompose()
    const limited = withSlots(fake.compose, 4)
    const all = Promise.all(names.map((name) => limited.run(call(name))))
    while (fake.running.size > 0) {
      // The last that began ends first, and one that comes late does not overtake.
      ;[...fake.running.values()].at(-1)?.()
      await turn()
    }
    expect((await all).map(({ stdout }) => stdout)).toEqual(names)
    expect(fake.begun).toEqual(names)
    expect(fake.most()).toBe(4)
  })

  it('are held up by one that hangs in its own slot only, and by one that fails in none', async () => {
    const fake = fakeCompose()
    const limited = withSlots(fake.compose, 2)
    const hung = limited.run(call('hung'))
    const others = Promise.allSettled(names.map((name) => limited.run(call(name))))
    while (fake.running.size > 1) {
      fake.running.get(fake.begun.at(-1) ?? '')?.(new Error('boom'))
      await turn()
    }
    expect((await others).map(({ status }) => status)).toEqual(names.map(() => 'rejected'))
    expect(fake.begun).toEqual(['hung', ...names])
    fake.running.get('hung')?.()
    expect((await hung).stdout).toBe('hung')
  })

  it('do not hold up what a person watches', async () => {
    const fake = fakeCompose()
    const limited = withSlots(fake.compose, 1)
    const hung = limited.run(call('hung'))
    expect((await limited.pipe({} as never)).exitCode).toBe(0)
    fake.running.get('hung')?.()
    await hung
  })
})
