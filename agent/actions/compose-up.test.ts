import { describe, expect, it } from 'vitest'
import { aDesired } from '../../test/support/builders.ts'
import { PlanOutdated, type StackAction, type ActionDeps } from './action.ts'
import type { ComposeModel } from '../compose/compose-model.ts'
import { sayMissing, up } from './compose-up.ts'
import { createStackState } from '../state/stack-state.ts'
import { createStackTarget } from '../state/stack-target.ts'

it('names the services of an image that is missing', () => {
  expect(
    sayMissing([
      ['shop/web:2', 'web'],
      ['shop/api:2', 'worker'],
      ['shop/api:2', 'api'],
    ]),
  ).toBe(
    'services api, worker: image shop/api:2 is not on this machine and not to be pulled; service web: image shop/web:2 is not on this machine and not to be pulled',
  )
})

describe('before each run of Compose the files are looked at again', () => {
  const request = { projectName: 'shop', flags: [], services: [], variables: [] }
  const model = { ...request, inputs: 'as planned' } as Partial<ComposeModel> as ComposeModel

  /** The verbs that are run where the looks at the files find these, one after the other; and how it ends. */
  const runs = async (finds: readonly (Partial<ComposeModel> | 'refused')[]) => {
    const verbs: string[] = []
    const looks = [...finds]
    const deps = {
      models: {
        read: () => {
          const found = looks.shift()
          return Promise.resolve(
            found === 'refused'
              ? { fault: { reason: 'WritableByContainer', message: 'no' }, missingVariables: [] }
              : { model: { ...model, ...found } },
          )
        },
      },
      engine: { listContainers: () => Promise.resolve([]) },
      compose: { run: ({ verb }: { verb: string[] }) => Promise.resolve(verbs.push(verb[0]!)) },
      upDeadlineMs: 1,
    } as unknown as ActionDeps
    const desired = aDesired({})
    const state = createStackState(
      createStackTarget({ desired, entries: [], base: {} }, undefined, false),
    )
    const action = { model, overrides: [], keptNetworks: [] } as Partial<StackAction> as StackAction
    const step = { services: ['web'], noDeps: false, waitFor: [] }
    const end = await up(deps, state, action, step).then(
      () => 'done',
      (error: unknown) => (error instanceof PlanOutdated ? 'planned again' : error),
    )
    return [...verbs, end]
  }

  it.each<[string, Parameters<typeof runs>[0], readonly string[]]>([
    ['the files are as they were', [{}, {}], ['create', 'up', 'done']],
    ['they were edited before', [{ inputs: 'edited' }], ['planned again']],
    ['they are refused by now', ['refused'], ['planned again']],
    // The containers are made; nothing is made anew when they start.
    ['they were edited before the start', [{}, { inputs: 'edited' }], ['create', 'up', 'done']],
    ['they are refused before the start', [{}, 'refused'], ['create', 'planned again']],
  ])('where %s', async (_what, finds, end) => {
    expect(await runs(finds)).toEqual(end)
  })
})
