// Finds previews, and the project whose template makes them.
import type { Project, Stagelet } from '../../src/generated/rest-types.ts'
import type { RestClient } from '../connect/rest.ts'
import { CliError } from '../errors.ts'
import { newCommand, type Command, type CommonFlags } from '../options.ts'

export interface PreviewFlags extends CommonFlags {
  readonly from?: string
}

export const previewCommand = (
  usage: string,
  summary: string,
  examples: readonly string[],
): Command =>
  newCommand(usage, summary, examples).option(
    '--from <project>',
    'the project whose template makes the preview; may be left out where that is clear',
  )

export const listPreviews = async (
  rest: RestClient,
  { from, allNamespaces }: PreviewFlags,
): Promise<Stagelet[]> => {
  const all = await rest.list<Stagelet>('/stagelets', 'stagelets', {
    team: allNamespaces === true ? undefined : rest.namespace,
    project: from,
  })
  return all.filter(({ preview }) => preview !== undefined)
}

export const noPreview = (name: string): string =>
  `there is no preview ${name}: "stagely preview list" shows those that are`

/** The stagelet of the preview. CliError where there is none. */
export const findPreview = async (
  rest: RestClient,
  name: string,
  flags: PreviewFlags,
): Promise<Stagelet> => {
  const found = await findIfThere(rest, name, flags)
  if (found === undefined) throw new CliError(noPreview(name))
  return found
}

/** CliError where several projects have one of this name. */
export const findIfThere = async (
  rest: RestClient,
  name: string,
  flags: PreviewFlags,
): Promise<Stagelet | undefined> => {
  const found = (await listPreviews(rest, flags)).filter(({ preview }) => preview === name)
  const [only, ...others] = found
  if (others.length === 0) return only
  const projects = found.map(({ project }) => project).join(', ')
  throw new CliError(`several projects have a preview ${name}: give --from with one of ${projects}`)
}

/** The given project, else the only one with a template. */
export const templateProject = async (
  rest: RestClient,
  { from }: PreviewFlags,
): Promise<string> => {
  if (from !== undefined) return from
  const projects = await rest.list<Project>('/projects', 'projects', { team: rest.namespace })
  const names = projects.filter(({ preview }) => preview !== undefined).map(({ name }) => name)
  const [only, ...others] = names
  if (only === undefined)
    throw new CliError(
      'no project has a template for previews: set spec.preview of one (see "stagely preview up --help")',
    )
  if (others.length === 0) return only
  throw new CliError(`several projects have previews: give --from with one of ${names.join(', ')}`)
}
