// Every page of the dashboard. A page is one file that exports `Page`, and one line here; pages that are in the
// rail have a label, an icon and the letter that follows `g`.
import type { ComponentChild, ComponentType } from 'preact'
import type { Resource, Verb } from '../../../src/access/roles.ts'
import Gauge from 'icon:gauge'

export interface RailEntry {
  readonly label: string
  readonly icon: (props: { readonly size?: number }) => ComponentChild
  /** `o`: the page opens with `g o`. */
  readonly letter: string
  /** Shown to who may do this in some team, or to admins only; absent: to everybody. */
  readonly needs?: readonly [Verb, Resource] | 'admin'
}

export interface PageEntry {
  readonly path: string
  readonly load: () => Promise<{ readonly Page: ComponentType }>
  readonly rail?: RailEntry
}

export const pages: readonly PageEntry[] = [
  {
    path: '/ui/',
    load: () => import('../pages/overview.tsx'),
    rail: { label: 'Overview', icon: Gauge, letter: 'o' },
  },
  { path: '/ui/t/:team/p/:project', load: () => import('../pages/secrets/page.tsx') },
  { path: '/ui/t/:team/p/:project/review', load: () => import('../pages/review/page.tsx') },
  {
    path: '/ui/t/:team/p/:project/history/:revision',
    load: () => import('../pages/watch/page.tsx'),
  },
]
