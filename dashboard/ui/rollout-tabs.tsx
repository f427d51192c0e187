// What moves now, and how fast that comes to containers.
import { useLocation } from 'preact-iso'
import { withQuery } from '../app/team.ts'
import { Tabs } from './page.tsx'

const hrefs = { Rollouts: '/ui/rollouts', Propagation: '/ui/propagation' } as const

export const RolloutTabs = ({ current }: { readonly current: keyof typeof hrefs }) => {
  const { query } = useLocation()
  return (
    <Tabs
      label="Rollouts"
      items={Object.entries(hrefs).map(([text, href]) => ({
        text,
        href: withQuery(href, { team: query['team'] }),
        current: text === current,
      }))}
    />
  )
}
