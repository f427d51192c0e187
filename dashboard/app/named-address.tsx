// Shows its pages once the address is one of today and has names: see former-url.ts and named-url.ts.
import type { ReadonlySignal } from '@preact/signals'
import { useLocation } from 'preact-iso'
import type { ComponentChildren } from 'preact'
import { useEffect } from 'preact/hooks'
import { agents, projects, stagelets } from '../live/collections.ts'
import { findIn, known, partOf, type Known } from '../live/known.ts'
import { formerUrl } from './former-url.ts'
import { askedById, namedUrl, type AskedById } from './named-url.ts'

interface Listed {
  readonly list: ReadonlySignal<
    Known<readonly { readonly id: string; readonly team: string; readonly name: string }[]>
  >
}

const lists: Readonly<Record<AskedById['kind'], Listed>> = { p: projects, s: stagelets, a: agents }

export const NamedAddress = ({ children }: { readonly children: ComponentChildren }) => {
  const { url, route } = useLocation()
  const asked = askedById(url)
  const list = asked === undefined ? undefined : lists[asked.kind]
  const looked = findIn(list?.list.value ?? known([]), ({ id }) => id === asked?.id)
  const found = partOf(looked)
  const named = asked === undefined || found === undefined ? undefined : namedUrl(asked, found)
  const to = formerUrl(url) ?? named
  useEffect(() => {
    if (to !== undefined) route(to, true)
  }, [to])
  return to !== undefined || looked.state === 'loading' ? null : <>{children}</>
}
