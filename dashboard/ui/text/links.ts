// Addresses of pages. Names are in paths.
type Named = { readonly team: string; readonly name: string }

export const projectUrl = ({ team, name }: Named): string => `/ui/t/${team}/p/${name}`
export const dueUrl = (project: Named): string => `${projectUrl(project)}/due`
export const rotationsUrl = (project: Named): string => `${projectUrl(project)}/rotations`
export const deletedUrl = (project: Named): string => `${projectUrl(project)}/deleted`
export const revisionsUrl = (project: Named): string => `${projectUrl(project)}/revisions`
export const revisionUrl = (project: Named, revision: number | 'newest'): string =>
  `${revisionsUrl(project)}/${revision}`
export const stageletUrl = ({ team, name }: Named): string => `/ui/t/${team}/s/${name}`
/** The feed, of what the words choose. */
export const activityUrl = (words: Readonly<Record<string, string | undefined>>): string => {
  const chosen = Object.entries(words).flatMap(([name, word]) =>
    word === undefined ? [] : [[name, word]],
  )
  const query = new URLSearchParams(chosen).toString()
  return query === '' ? '/ui/activity' : `/ui/activity?${query}`
}
export const agentUrl = ({ team, name }: Named): string => `/ui/t/${team}/a/${name}`
export const accessUrl = ({ team, name }: Named): string => `/ui/t/${team}/access/${name}`
