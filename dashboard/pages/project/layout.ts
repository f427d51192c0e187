// Which stagelet of a project is in which environment, as the REST API says it. Pure.
import { isolatedIn, layoutOf, type Layout } from '../../../src/secrets/layout.ts'
import type { Project, Stagelet } from '../../../src/generated/rest-types.ts'

interface Place {
  readonly team: string
  readonly project: string
}

export const layoutIn = (
  { team, project }: Place,
  projects: readonly Project[],
  stagelets: readonly Stagelet[],
): Layout => {
  const found = projects.find((candidate) => candidate.team === team && candidate.name === project)
  const own = stagelets.filter((stagelet) => stagelet.team === team && stagelet.project === project)
  return layoutOf(own, isolatedIn(found?.environments ?? []))
}
