// CustomResourceDefinitions of the kinds, to be read: clients such as Terraform ask them for the schema of an object.
// Nobody writes them here.
import { StagelyError } from '../../../src/kernel/errors.ts'
import { lazy } from '../../../src/kernel/lazy.ts'
import { apiGroup } from '../../../src/resources/meta.ts'
import { resourceNameOf } from '../../../src/resources/kind-names.ts'
import { kinds } from '../../../src/kinds/index.ts'
import { renderCrd } from '../../../src/resources/schemas/crd.ts'
import type { App } from '../env.ts'

export const definitionKind = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  kind: 'CustomResourceDefinition',
  plural: 'customresourcedefinitions',
  singular: 'customresourcedefinition',
  shortNames: ['crd', 'crds'],
  namespaced: false,
  verbs: ['get', 'list'],
} as const

const path = `/apis/${definitionKind.group}/${definitionKind.version}/${definitionKind.plural}`

/** Made at the first request: few controllers are asked for them. */
const definitions = lazy(() =>
  kinds
    .filter(({ group, internal }) => group === apiGroup && internal !== true)
    .map((kind) => {
      const { kind: name, plural, singular, shortNames, categories, version } = kind
      const acceptedNames = { kind: name, listKind: `${name}List`, plural, singular }
      const conditions = ['NamesAccepted', 'Established'].map((type) => ({ type, status: 'True' }))
      const names = { ...acceptedNames, shortNames, categories }
      const status = { conditions, acceptedNames: names, storedVersions: [version] }
      return { name: resourceNameOf(kind), content: { ...renderCrd(kind), status } }
    }),
)

/** For everybody who is logged in, as discovery. */
export const mountDefinitions = (app: App): void => {
  app.get(path, (c) =>
    c.json({
      apiVersion: `${definitionKind.group}/${definitionKind.version}`,
      kind: `${definitionKind.kind}List`,
      // Constant, as the content never changes.
      metadata: { resourceVersion: '1' },
      items: definitions().map(({ content }) => content),
    }),
  )
  app.get(`${path}/:name`, (c) => {
    const name = c.req.param('name')
    const found = definitions().find((definition) => definition.name === name)
    if (found !== undefined) return c.json(found.content)
    const { plural, group } = definitionKind
    throw new StagelyError('NotFound', `${plural}.${group} "${name}" not found`)
  })
}
