// Every page of the dashboard. A page is one file that exports `Page`, and one line here; pages that are in the
// rail have a label, an icon and the letter that follows `g`.
import type { ComponentChild } from 'preact'
import type { Resource, Verb } from '../../src/access/roles.ts'
import { later } from '../loading/later.ts'
import type { PageFile } from './view.tsx'
import Activity from 'icon:activity'
import Bell from 'icon:bell'
import Database from 'icon:database'
import Boxes from 'icon:boxes'
import Gauge from 'icon:gauge'
import Inbox from 'icon:inbox'
import KeyRound from 'icon:key-round'
import ShieldCheck from 'icon:shield-check'
import Users from 'icon:users'
import Layers from 'icon:layers'
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
  readonly file: PageFile
  readonly rail?: RailEntry
}

/** Wanted from the first edit that is staged: nobody is kept from applying it by a file that does not come. */
export const reviewFile: PageFile = later(() => import('../pages/review/page.tsx'))

/** Forms of all kinds. */
const formFile: PageFile = later(() => import('../pages/forms/page.tsx'))

export const pages: readonly PageEntry[] = [
  {
    path: '/ui/',
    file: later(() => import('../pages/overview.tsx')),
    rail: { label: 'Overview', icon: Gauge, letter: 'o' },
  },
  {
    path: '/ui/projects',
    file: later(() => import('../pages/projects.tsx')),
    rail: { label: 'Projects', icon: Boxes, letter: 'p', needs: ['list', 'projects'] },
  },
  {
    path: '/ui/stacks',
    file: later(() => import('../pages/stacks/page.tsx')),
    rail: { label: 'Stacks', icon: Layers, letter: 'c', needs: ['list', 'stagelets'] },
  },
  { path: '/ui/t/:team/p/:project', file: later(() => import('../pages/secrets/page.tsx')) },
  { path: '/ui/t/:team/p/:project/review', file: reviewFile },
  {
    path: '/ui/t/:team/p/:project/revisions/:revision',
    file: later(() => import('../pages/revisions/page.tsx')),
  },
  { path: '/ui/t/:team/p/:project/due', file: later(() => import('../pages/due/page.tsx')) },
  {
    path: '/ui/t/:team/p/:project/rotations',
    file: later(() => import('../pages/rotations/page.tsx')),
  },
  {
    path: '/ui/t/:team/p/:project/deleted',
    file: later(() => import('../pages/deleted/page.tsx')),
  },
  {
    path: '/ui/t/:team/p/:project/revisions',
    file: later(() => import('../pages/revisions/list.tsx')),
  },
  { path: '/ui/t/:team/s/:stagelet', file: later(() => import('../pages/stagelet.tsx')) },
  {
    path: '/ui/agents',
    file: later(() => import('../pages/agents.tsx')),
    rail: { label: 'Agents', icon: Server, letter: 'a', needs: ['list', 'agents'] },
  },
  { path: '/ui/t/:team/a/:agent', file: later(() => import('../pages/agent.tsx')) },
  {
    path: '/ui/revisions',
    file: later(() => import('../pages/revisions/all.tsx')),
    rail: { label: 'Rollouts', icon: Rocket, letter: 'r', needs: ['list', 'projects'] },
  },
  {
    path: '/ui/t/:team/p/:project/settings',
    file: later(() => import('../pages/settings/page.tsx')),
  },
  {
    path: '/ui/activity',
    file: later(() => import('../pages/activity.tsx')),
    rail: { label: 'Activity', icon: Activity, letter: 't', needs: ['list', 'events'] },
  },
  {
    path: '/ui/stores',
    file: later(() => import('../pages/stores/page.tsx')),
    rail: { label: 'Stores', icon: Database, letter: 's', needs: ['list', 'secretstores'] },
  },
  {
    path: '/ui/notifiers',
    file: later(() => import('../pages/notifiers/page.tsx')),
    rail: { label: 'Notifiers', icon: Bell, letter: 'n', needs: ['list', 'notifiers'] },
  },
  {
    path: '/ui/access',
    file: later(() => import('../pages/access/page.tsx')),
    rail: { label: 'Requests', icon: Inbox, letter: 'q', needs: ['get', 'accessrequests/own'] },
  },
  {
    path: '/ui/t/:team/access/:request',
    file: later(() => import('../pages/access/request.tsx')),
  },
  {
    path: '/ui/audit',
    file: later(() => import('../pages/audit/page.tsx')),
    rail: { label: 'Audit', icon: ShieldCheck, letter: 'l', needs: ['list', 'audit'] },
  },
  {
    path: '/ui/people',
    file: later(() => import('../pages/people.tsx')),
    rail: { label: 'People', icon: Users, letter: 'u' },
  },
  {
    path: '/ui/keys',
    file: later(() => import('../pages/keys.tsx')),
    rail: { label: 'Keys', icon: KeyRound, letter: 'k', needs: 'admin' },
  },
  { path: '/ui/new/:kind', file: formFile },
  { path: '/ui/t/:team/edit/:kind/:name', file: formFile },
  { path: '/ui/me', file: later(() => import('../pages/me.tsx')) },
  { path: '/ui/t/:team/members', file: later(() => import('../pages/members.tsx')) },
  { path: '/ui/t/:team/tokens', file: later(() => import('../pages/team-tokens.tsx')) },
]
