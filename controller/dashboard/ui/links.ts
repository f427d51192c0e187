// Addresses of pages. Names are in paths.
type Named = { readonly team: string; readonly name: string }

export const projectUrl = ({ team, name }: Named): string => `/ui/t/${team}/p/${name}`
export const historyUrl = (project: Named): string => `${projectUrl(project)}/history`
export const stageletUrl = ({ team, name }: Named): string => `/ui/t/${team}/s/${name}`
export const agentUrl = ({ team, name }: Named): string => `/ui/t/${team}/a/${name}`
