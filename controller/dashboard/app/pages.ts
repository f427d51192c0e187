// Every page of the dashboard. A page is one file that exports `Page`, and one line here; pages that are in the
// rail have a label, an icon and the letter that follows `g`.
import type { ComponentChild, ComponentType } from 'preact'
import type { Resource, Verb } from '../../../src/access/roles.ts'
import Activity from 'icon:activity'
import Bell from 'icon:bell'
import Database from 'icon:database'
import Boxes from 'icon:boxes'
import Gauge from 'icon:gauge'
import KeyRound from 'icon:key-round'
import ShieldCheck from 'icon:shield-check'
import Users from 'icon:users'
import Rocket from 'icon:rocket'
import Server from 'icon:server'

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
  {
    path: '/ui/projects',
    load: () => import('../pages/projects.tsx'),
    rail: { label: 'Projects', icon: Boxes, letter: 'p', needs: ['list', 'projects'] },
  },
  { path: '/ui/t/:team/p/:project', load: () => import('../pages/secrets/page.tsx') },
  { path: '/ui/t/:team/p/:project/review', load: () => import('../pages/review/page.tsx') },
  {
    path: '/ui/t/:team/p/:project/history/:revision',
    load: () => import('../pages/watch/page.tsx'),
  },
  { path: '/ui/t/:team/p/:project/due', load: () => import('../pages/due/page.tsx') },
  { path: '/ui/t/:team/p/:project/rotations', load: () => import('../pages/rotations/page.tsx') },
  { path: '/ui/t/:team/p/:project/deleted', load: () => import('../pages/deleted/page.tsx') },
  { path: '/ui/t/:team/p/:project/history', load: () => import('../pages/history/page.tsx') },
  { path: '/ui/t/:team/s/:stagelet', load: () => import('../pages/stagelet.tsx') },
  {
    path: '/ui/agents',
    load: () => import('../pages/agents.tsx'),
    rail: { label: 'Agents', icon: Server, letter: 'a', needs: ['list', 'agents'] },
  },
  { path: '/ui/t/:team/a/:agent', load: () => import('../pages/agent.tsx') },
  {
    path: '/ui/rollouts',
    load: () => import('../pages/rollouts.tsx'),
    rail: { label: 'Rollouts', icon: Rocket, letter: 'r', needs: ['list', 'projects'] },
  },
  { path: '/ui/t/:team/p/:project/settings', load: () => import('../pages/settings/page.tsx') },
  { path: '/ui/t/:team/p/:project/rollout', load: () => import('../pages/rollout.tsx') },
  {
    path: '/ui/activity',
    load: () => import('../pages/activity.tsx'),
    rail: { label: 'Activity', icon: Activity, letter: 't', needs: ['list', 'events'] },
  },
  {
    path: '/ui/stores',
    load: () => import('../pages/stores/page.tsx'),
    rail: { label: 'Stores', icon: Database, letter: 's', needs: ['list', 'secretstores'] },
  },
  {
    path: '/ui/notifiers',
    load: () => import('../pages/notifiers/page.tsx'),
    rail: { label: 'Notifiers', icon: Bell, letter: 'n', needs: ['list', 'notifiers'] },
  },
  { path: '/ui/propagation', load: () => import('../pages/propagation/page.tsx') },
  {
    path: '/ui/audit',
    load: () => import('../pages/audit/page.tsx'),
    rail: { label: 'Audit', icon: ShieldCheck, letter: 'l', needs: ['list', 'audit'] },
  },
  {
    path: '/ui/people',
    load: () => import('../pages/people.tsx'),
    rail: { label: 'People', icon: Users, letter: 'u' },
  },
  {
    path: '/ui/keys',
    load: () => import('../pages/keys.tsx'),
    rail: { label: 'Keys', icon: KeyRound, letter: 'k', needs: 'admin' },
  },
  { path: '/ui/me', load: () => import('../pages/me.tsx') },
  { path: '/ui/t/:team/members', load: () => import('../pages/members.tsx') },
  { path: '/ui/t/:team/tokens', load: () => import('../pages/team-tokens.tsx') },
]
