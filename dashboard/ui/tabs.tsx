// The tabs of the pages of a project.
import { dueUrl, projectUrl, revisionsUrl, rotationsUrl } from './text/links.ts'
import { AccessBanner } from './access-banner.tsx'
import { Tabs } from './page.tsx'

const pages = ['Secrets', 'Due', 'Rotations', 'Revisions', 'Settings'] as const

interface Props {
  readonly team: string
  readonly name: string
  readonly current: (typeof pages)[number]
}

export const ProjectTabs = ({ team, name, current }: Props) => {
  const project = { team, name }
  const hrefs = {
    Secrets: projectUrl(project),
    Due: dueUrl(project),
    Rotations: rotationsUrl(project),
    Revisions: revisionsUrl(project),
    Settings: `${projectUrl(project)}/settings`,
  }
  return (
    <>
      <AccessBanner team={team} name={name} />
      <Tabs
        label={`Project ${name}`}
        items={pages.map((text) => ({ href: hrefs[text], text, current: text === current }))}
      />
    </>
  )
}
