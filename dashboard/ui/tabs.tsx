// The tabs of the pages of a project, and of rollouts.
import { useLocation } from 'preact-iso'
import { withQuery } from '../session/team.ts'
import { dueUrl, historyUrl, projectUrl, rotationsUrl } from './text/links.ts'
import { AccessBanner } from './access-banner.tsx'
import { Tabs } from './page.tsx'

const pages = ['Secrets', 'Due', 'Rotations', 'History', 'Rollout', 'Settings'] as const

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
    History: historyUrl(project),
    Rollout: `${projectUrl(project)}/rollout`,
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

/** What moves now, and how fast that comes to containers. */
const rolloutHrefs = { Rollouts: '/ui/rollouts', Propagation: '/ui/propagation' } as const

export const RolloutTabs = ({ current }: { readonly current: keyof typeof rolloutHrefs }) => {
  const { query } = useLocation()
  return (
    <Tabs
      label="Rollouts"
      items={Object.entries(rolloutHrefs).map(([text, href]) => ({
        text,
        href: withQuery(href, { team: query['team'] }),
        current: text === current,
      }))}
    />
  )
}
