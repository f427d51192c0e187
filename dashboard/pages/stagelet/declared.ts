// What is declared of a stagelet, for all its tabs: the newest revision of its project. The agent may be told another
// one, such as the one before while a rollout waits for its turn.
import type { Project, Service, Stagelet } from '../../../src/generated/rest-types.ts'
import { projects } from '../../live/collections.ts'
import { findIn, mapKnown, type Known } from '../../live/known.ts'
import { revisionText } from '../revisions/words.ts'

export const declaredRevision = (
  stagelet: Pick<Stagelet, 'team' | 'project' | 'wanted_revision'>,
  all: Known<readonly Pick<Project, 'team' | 'name' | 'revision'>[]> = projects.list.value,
): Known<number | undefined> => {
  const project = findIn(
    all,
    ({ team, name }) => team === stagelet.team && name === stagelet.project,
  )
  return mapKnown(project, (found) => found?.revision ?? stagelet.wanted_revision)
}

/** The running revision, the target, and the delivered one where it differs. Pure. */
export const behindText = (
  { name, revision }: Pick<Service, 'name' | 'revision'>,
  declared: number | undefined,
  delivered: number | undefined,
): string => {
  const runs = `${name} runs ${revisionText(revision)}, and ${revisionText(declared)} is declared`
  return delivered === undefined || delivered === declared
    ? `${runs}.`
    : `${runs}; its agent is told ${revisionText(delivered)}.`
}

/** Keys that a secret gives a service, and its Compose file or an env file sets too: an edit there does nothing. Pure. */
export const hiddenKeys = ({
  services,
}: Pick<Stagelet, 'services'>): readonly { readonly service: string; readonly keys: string[] }[] =>
  services.flatMap(({ name: service, keys = [], compose_keys: inFile = [] }) => {
    const both = keys.filter((key) => inFile.includes(key))
    return both.length === 0 ? [] : [{ service, keys: both }]
  })
