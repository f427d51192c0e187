// Shows its pages once the address has names: see named-url.ts.
import type { ReadonlySignal } from '@preact/signals'
import { useLocation } from 'preact-iso'
import type { ComponentChildren } from 'preact'
import { useEffect } from 'preact/hooks'
import { agents, projects, stagelets } from '../live/collections.ts'
import type { Loading } from '../live/collection.ts'
import { askedById, namedUrl, type AskedById } from './named-url.ts'

interface Listed {
  readonly rows: ReadonlySignal<
    readonly { readonly id: string; readonly team: string; readonly name: string }[]
  >
  readonly loading: ReadonlySignal<Loading>
}

const lists: Readonly<Record<AskedById['kind'], Listed>> = { p: projects, s: stagelets, a: agents }

export const NamedAddress = ({ children }: { readonly children: ComponentChildren }) => {
  const { url, route } = useLocation()
  const asked = askedById(url)
  const list = asked === undefined ? undefined : lists[asked.kind]
  const found = list?.rows.value.find(({ id }) => id === asked?.id)
  const to = asked === undefined || found === undefined ? undefined : namedUrl(asked, found)
  useEffect(() => {
    if (to !== undefined) route(to, true)
  }, [to])
  const isLooking = to !== undefined || ['idle', 'loading'].includes(list?.loading.value ?? '')
  return isLooking ? null : <>{children}</>
}
