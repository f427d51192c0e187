// The pages of a project.
import { historyUrl, projectUrl } from './links.ts'
import { Tabs } from './page.tsx'

const pages = ['Secrets', 'History', 'Rollout'] as const

interface Props {
  readonly team: string
  readonly name: string
  readonly current: (typeof pages)[number]
}

export const ProjectTabs = ({ team, name, current }: Props) => {
  const project = { team, name }
  const hrefs = {
    Secrets: projectUrl(project),
    History: historyUrl(project),
    Rollout: `${projectUrl(project)}/rollout`,
  }
  return (
    <Tabs
      label={`Project ${name}`}
      items={pages.map((text) => ({ href: hrefs[text], text, current: text === current }))}
    />
  )
}
