// The schemas of people, members and tokens.
import * as z from 'zod'
import type { Narrowing } from '../../../../src/access/place.ts'
import { teamRoles } from '../../../../src/access/team-roles.ts'
import { defined } from '../../../../src/kernel/defined.ts'
import { limits } from '../../../../src/resources/limits.ts'
import type { MemberStore } from '../../../../src/store/people/members.ts'
import type { SessionStore } from '../../../../src/store/people/sessions.ts'
import type { TokenStore } from '../../../../src/store/people/tokens.ts'
import type { UserStore } from '../../../../src/store/people/users.ts'
import { timeSchema } from '../representations.ts'

/** The stores of people, for the handlers. */
export interface People {
  readonly users: UserStore
  readonly members: MemberStore
  readonly tokens: TokenStore
  readonly sessions: SessionStore
}

export const role = z.enum(teamRoles).describe('What a member may do in a team.')

export const userSchema = z
  .strictObject({
    id: z.string(),
    name: z.string().describe('Login name; never changes.'),
    email: z.string().optional(),
    display_name: z.string().optional(),
    admin: z.boolean().describe('May do everything everywhere.'),
    disabled: z.boolean().describe('May not log in; every token of theirs is refused.'),
    created_at: timeSchema,
    last_login_at: timeSchema.optional().describe('Last login by the OpenID provider.'),
  })
  .describe('A person who may log in.')

const placeNames = z.array(z.string().min(1).max(limits.name)).min(1).max(100)

const folderPaths = z
  .array(
    z.string().max(limits.path).regex(/^\//, 'must be an absolute path on the machines of agents'),
  )
  .min(1)
  .max(100)

/** Where a token or a member's role counts below a team, in requests. */
export const narrowingBody = {
  projects: placeNames.optional().describe('Only in these projects.'),
  environments: placeNames.optional().describe('Only in these environments of projects.'),
  stagelets: placeNames.optional().describe('Only these stagelets, and secrets of theirs alone.'),
  folders: folderPaths
    .optional()
    .describe(
      'Stagelets that are made lie below these folders of their machines. Absent: in a folder that no stack elsewhere has.',
    ),
}

const changeOf = ({ description = '' }: z.ZodType, names = placeNames) =>
  names.nullable().optional().describe(`${description} Absent: as before; null: everywhere.`)

/** The same of a member that is changed. */
export const narrowingChange = {
  projects: changeOf(narrowingBody.projects),
  environments: changeOf(narrowingBody.environments),
  stagelets: changeOf(narrowingBody.stagelets),
  folders: changeOf(narrowingBody.folders, folderPaths),
}

/** Where a token or a member's role counts below a team, in answers. */
export const narrowingShape = {
  projects: z.array(z.string()).optional().describe('Only in these projects.'),
  environments: z.array(z.string()).optional().describe('Only in these environments.'),
  stagelets: z.array(z.string()).optional().describe('Only these stagelets.'),
  folders: z.array(z.string()).optional().describe('Its new stagelets lie below these folders.'),
}

/** With the lists of the narrowing beside the other fields, as answers have them. */
export const shownNarrowed = <T extends { readonly narrowing?: Narrowing | undefined }>({
  narrowing,
  ...rest
}: T) => ({ ...rest, ...narrowing })

export const narrowingFrom = ({
  projects,
  environments,
  stagelets,
  folders,
}: Narrowing): Narrowing | undefined =>
  (projects ?? environments ?? stagelets ?? folders) === undefined
    ? undefined
    : defined({ projects, environments, stagelets, folders })

export const memberSchema = z
  .strictObject({
    user_id: z.string(),
    user: z.string(),
    email: z.string().optional(),
    role,
    ...narrowingShape,
    from_group: z
      .boolean()
      .describe(
        'Role and place follow a group of the OpenID provider and are set anew at each login.',
      ),
    since: timeSchema,
  })
  .describe('A user in a team.')

export const tokenSchema = z
  .strictObject({
    id: z.string(),
    name: z.string(),
    kind: z.enum(['personal', 'machine']),
    owner: z.string().describe('The user, or the team of the machine.'),
    hint: z.string().describe('The first letters of the token, to know it again by.'),
    role: role.optional(),
    read_only: z.boolean(),
    teams: z.array(z.string()).optional(),
    ...narrowingShape,
    expires_at: timeSchema.optional(),
    last_used_at: timeSchema.optional().describe('To the minute.'),
    created_at: timeSchema,
    created_by: z.string(),
  })
  .describe('A token, without the token itself.')
