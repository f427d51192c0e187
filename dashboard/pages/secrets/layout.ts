// Which stagelet of a project is in which environment, as the REST API says it. Pure.
import { isolatedIn, type Layout } from '../../../src/secrets/layout.ts'
import type { Project, Stagelet } from '../../../src/rest/types.ts'

interface Place {
  readonly team: string
  readonly project: string
}

export const layoutOf = (
  { team, project }: Place,
  projects: readonly Project[],
  stagelets: readonly Stagelet[],
): Layout => {
  const found = projects.find((candidate) => candidate.team === team && candidate.name === project)
  return {
    stagelets: new Map(
      stagelets.flatMap((stagelet) =>
        stagelet.team === team && stagelet.project === project && stagelet.environment !== undefined
          ? [[stagelet.name, stagelet.environment] as const]
          : [],
      ),
    ),
    isolated: isolatedIn(found?.environments ?? []),
  }
}
