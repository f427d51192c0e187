// The page of all routes of the REST API, made of the table that the server runs.
import { restRoutes } from '../../controller/http/rest/table.ts'
import { generatedMark } from './mark.ts'

/** The first word of the path. */
const groupOf = (path: string): string => path.split('/')[1] ?? ''

export const renderRest = (): string => {
  const groups = new Map<string, string[]>()
  for (const { method, path, summary } of restRoutes) {
    const lines = groups.get(groupOf(path)) ?? []
    groups.set(groupOf(path), [...lines, `- \`${method} ${path}\`: ${summary}\n`])
  }
  const sections = [...groups]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([group, lines]) => `## ${group}\n\n${lines.join('')}`)
  return `# REST routes

${generatedMark('the table of routes')}

All routes, below \`/api/v1\`. The page \`/api/docs\` of your controller has their parameters, bodies and answers. How the API works: [API](../api.md).

${sections.join('\n')}`
}
