// The recipe "A new kind" of DEVELOPERS.md.

interface Edit {
  readonly file: string
  /** A text of the file. */
  readonly after: string
  readonly add: string
}

export interface Recipe {
  /** Heading in DEVELOPERS.md. */
  readonly title: string
  readonly files: Readonly<Record<string, string>>
  readonly edits: readonly Edit[]
}

export const kind: Recipe = {
  title: 'A new kind',
  files: {
    'src/kinds/widget/names.ts': `
import { stagelyKind, type KindNames } from '../../resources/kind-names.ts'

export const names = {
  ...stagelyKind,
  kind: 'Widget',
  plural: 'widgets',
  singular: 'widget',
  shortNames: ['wid'],
  description: 'A thing with a size.',
  applyOrder: 5,
  rest: { word: 'widget', list: 'widgets', id: 'wid' },
} as const satisfies KindNames
`,
    'src/kinds/widget/schema.ts': `
import * as z from 'zod'
import { conditionsSchema } from '../../resources/schema-parts.ts'

export const widgetSpec = z.strictObject({
  size: z.int().min(1).max(9).default(3).describe('How large it is.'),
})
export const widgetStatus = z.strictObject({ conditions: conditionsSchema.optional() })
`,
    'src/kinds/widget/kind.ts': `
import { age, integer } from '../../resources/columns.ts'
import { defineKind } from '../../resources/define-kind.ts'
import { names } from './names.ts'
import { widgetSpec, widgetStatus } from './schema.ts'

export const widget = defineKind({
  names,
  spec: widgetSpec,
  status: widgetStatus,
  columns: [integer('Size', '.spec.size', 'How large it is.'), age],
})
`,
    'controller/http/rest/routes/widget-routes.ts': `
import * as z from 'zod'
import { widgetSpec } from '../../../../src/kinds/widget/schema.ts'
import { fieldsOf } from '../../../../src/resources/schemas/rest-fields.ts'
import { objectShape } from '../kinds.ts'
import { routesOf } from '../route.ts'
import { answerOf, answerShape } from '../shapes.ts'
import { createRoute, readRoutes, type RestKind } from './kind-routes.ts'

const fields = fieldsOf(widgetSpec, {})
const schema = z.strictObject(objectShape('Widget', answerShape(fields, ['spec']))).describe('A widget.')
const widgets: RestKind = { kind: 'Widget', schema, fields }
export const toWidget = answerOf(schema)

export const widgetRoutes = routesOf('Widgets', [
  ...readRoutes(widgets, { summaries: ['Widgets of all your teams.', 'One widget.'] }),
  createRoute(widgets, { summary: 'Make a widget.' }),
])
`,
  },
  edits: [
    {
      file: 'src/kinds/names.ts',
      after: 'export const named = {',
      add: '\n  Widget: widget,',
    },
    {
      file: 'src/kinds/names.ts',
      after: "import { apiGroup } from '../resources/meta.ts'",
      add: "\nimport { names as widget } from './widget/names.ts'",
    },
    {
      file: 'src/kinds/index.ts',
      after: 'export const definitions = {',
      add: '\n  Widget: widget,',
    },
    {
      file: 'src/kinds/index.ts',
      after: "import { agent } from './agent/kind.ts'",
      add: "\nimport { widget } from './widget/kind.ts'",
    },
    {
      file: 'src/access/roles.ts',
      after: 'export const resources = [',
      add: "\n  'widgets',",
    },
    { file: 'src/access/roles.ts', after: 'const viewer: Rights = {', add: '\n  widgets: read,' },
    { file: 'src/access/roles.ts', after: '  ...developer,', add: '\n  widgets: all,' },
    {
      file: 'controller/http/rest/table.ts',
      after: 'export const restRoutes: readonly RestRoute[] = [',
      add: '\n  ...widgetRoutes,',
    },
    {
      file: 'controller/http/rest/table.ts',
      after: "import type { RestRoute } from './route.ts'",
      add: "\nimport { widgetRoutes } from './routes/widget-routes.ts'",
    },
    {
      file: 'controller/http/rest/routes/event-routes.ts',
      after:
        "const shows: Readonly<Record<RestKindName | 'Event', (object: KubeObject) => object>> = {",
      add: '\n  Widget: toWidget,',
    },
    {
      file: 'controller/http/rest/routes/event-routes.ts',
      after: "import { toStore } from './store-routes.ts'",
      add: "\nimport { toWidget } from './widget-routes.ts'",
    },
  ],
}
