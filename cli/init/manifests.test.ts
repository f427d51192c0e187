import { expect, it } from 'vitest'
import type { StoredSecrets } from '../objects/secret-identity.ts'
import { renderManifests } from './manifests.ts'

const production = { name: 'production', inherits: 'Project', protected: true } as const
const preview = { name: 'preview', inherits: 'Nothing' } as const
const stored: StoredSecrets = {
  hasName: () => false,
  find: () => undefined,
  placesOf: () => [],
}

it.each([
  ['none where the project has none and none is named', undefined, [], undefined],
  ['those of the project where none is named', undefined, [production], [production]],
  ['those of the project where one of them is named', 'preview', [preview], [preview]],
  ['a new one beside them', 'qa', [production], [production, { name: 'qa' }]],
])('lists in the project %s', (_, environment, environments, wanted) => {
  const choice = {
    namespace: 'default',
    project: 'shop',
    stagelet: 'shop',
    environment,
    environments,
    agent: 'box',
    directory: '/srv/shop',
    files: undefined,
    envFiles: undefined,
    profiles: undefined,
    composeProject: 'shop',
    variables: [],
  }
  const [project] = renderManifests(choice, [], { stored }).objects
  expect(project?.spec?.['environments']).toEqual(wanted)
})
