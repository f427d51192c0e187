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
    'src/resources/kinds/widget.ts': `
import * as z from 'zod'
import { conditionsSchema } from './status.ts'

export const widgetSpec = z.strictObject({
  size: z.int().min(1).max(9).default(3).describe('How large it is.'),
})
export const widgetStatus = z.strictObject({ conditions: conditionsSchema.optional() })
export type WidgetSpec = z.infer<typeof widgetSpec>
export type WidgetStatus = z.infer<typeof widgetStatus>
`,
    'controller/http/rest/routes/widget-routes.ts': `
import * as z from 'zod'
import { widgetSpec } from '../../../../src/resources/kinds/widget.ts'
import { fieldsOf } from '../../../../src/resources/schemas/rest-fields.ts'
import { objectShape } from '../kinds.ts'
import { routesOf } from '../route.ts'
import { answerShape } from '../shapes.ts'
import { createRoute, readRoutes, type RestKind } from './kind-routes.ts'

const fields = fieldsOf(widgetSpec, {})
const schema = z.strictObject(objectShape('wid', answerShape(fields, ['spec']))).describe('A widget.')
const widgets: RestKind = { kind: 'Widget', schema, fields }

export const widgetRoutes = routesOf('Widgets', [
  ...readRoutes(widgets, { summaries: ['Widgets of all your teams.', 'One widget.'] }),
  createRoute(widgets, { summary: 'Make a widget.' }),
])
`,
  },
  edits: [
    {
      file: 'src/resources/kind-names.ts',
      after: 'export const kindNames: readonly KindNames[] = [',
      add: `
  {
    ...stagely,
    kind: 'Widget',
    plural: 'widgets',
    singular: 'widget',
    shortNames: ['wid'],
    description: 'A thing with a size.',
    applyOrder: 5,
  },`,
    },
    {
      file: 'src/kinds/index.ts',
      after: 'const schemas: Readonly<Record<string, Schemas>> = {',
      add: '\n  Widget: { spec: widgetSpec, status: widgetStatus },',
    },
    {
      file: 'src/kinds/index.ts',
      after: "import type * as z from 'zod'",
      add: "\nimport { widgetSpec, widgetStatus } from './kinds/widget.ts'",
    },
    {
      file: 'src/kinds/columns.ts',
      after: 'export const kindColumns = {',
      add: "\n  Widget: [integer('Size', '.spec.size', 'How large it is.'), age],",
    },
    {
      file: 'src/kinds/typed.ts',
      after: 'interface TypeOfKind {',
      add: '\n  Widget: KubeObject<WidgetSpec, WidgetStatus>',
    },
    {
      file: 'src/kinds/typed.ts',
      after: "import type { AgentSpec, AgentStatus } from './kinds/agent.ts'",
      add: "\nimport type { WidgetSpec, WidgetStatus } from './kinds/widget.ts'",
    },
    {
      file: 'src/access/roles.ts',
      after: 'export const resources = [',
      add: "\n  'widgets',",
    },
    { file: 'src/access/roles.ts', after: 'const viewer: Rights = {', add: '\n  widgets: read,' },
    { file: 'src/access/roles.ts', after: '  ...developer,', add: '\n  widgets: all,' },
    {
      file: 'controller/http/rest/ids.ts',
      after: 'const prefixes = {',
      add: "\n  Widget: 'wid',",
    },
    {
      file: 'controller/http/rest/route.ts',
      after: 'export type InTarget =',
      add: " 'widget' |",
    },
    {
      file: 'controller/http/rest/access.ts',
      after: 'const targetParameters: Readonly<Record<InTarget, string>> = {',
      add: "\n  widget: 'widget_id',",
    },
    {
      file: 'controller/http/rest/access.ts',
      after: 'const kindOf = {',
      add: "\n  widget: 'Widget',",
    },
    {
      file: 'controller/http/rest/routes/kind-routes.ts',
      after: 'const words = {',
      add: "\n  Widget: { singular: 'widget', list: 'widgets', resource: 'widgets' },",
    },
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
  ],
}
