// The first-run page: from nothing to a stack that runs its secrets. Each step shows by itself when it is done.
import { useLocation } from 'preact-iso'
import type { ComponentChild } from 'preact'
import { me, whyNot } from '../../session/session.ts'
import { useTeam } from '../../session/team.ts'
import { stageletState } from '../../live/states.ts'
import { LinkButton } from '../../ui/button.tsx'
import { NewButton } from '../../ui/form-buttons.tsx'
import { Panel } from '../../ui/page.tsx'
import { StateText } from '../../ui/state.tsx'
import { projectUrl, stageletUrl } from '../../ui/text/links.ts'
import { messageText } from '../../ui/text/message.ts'
import { JoinPanel } from '../agents/join.tsx'
import type { FirstSteps } from './first-steps.ts'
import s from '../overview.module.css'

interface StepProps {
  readonly title: string
  /** What was done; undefined: it is still to be done. */
  readonly done: ComponentChild | undefined
  /** Its turn: the steps before it are done. */
  readonly isNext: boolean
  readonly children: ComponentChild
}

const Step = ({ title, done, isNext, children }: StepProps) => (
  <li aria-current={isNext ? 'step' : undefined}>
    <h2>{title}</h2>
    {done === undefined ? (
      isNext ? (
        children
      ) : (
        <StateText kind="wait">After the steps before it</StateText>
      )
    ) : (
      <StateText kind="ok">{done}</StateText>
    )}
  </li>
)

const Machine = ({ team }: { readonly team: string }) => {
  const refused = whyNot('create', 'agents/join', team)
  return (
    <>
      <p class="muted">
        An agent on the machine starts the stack and measures what runs. It needs Docker Compose.
      </p>
      {refused === undefined ? <JoinPanel /> : <p>{refused}</p>}
    </>
  )
}

const InSync = ({ stack }: Pick<FirstSteps, 'stack'>) => {
  if (stack === undefined) return null
  const { kind, word, why } = stageletState(stack)
  return (
    <p>
      <StateText kind={kind}>{word}</StateText> {messageText(why)}{' '}
      <a href={stageletUrl(stack)}>Look at {stack.name}</a>
    </p>
  )
}

/** What the form of the stack begins with. */
const begunWith = ({ project, agent }: FirstSteps): Readonly<Record<string, string>> => ({
  ...(project !== undefined && { project: project.name }),
  ...(agent !== undefined && { agent: agent.name }),
})

/** The team of what is there, or else the chosen one. */
const useTeamOf = ({ project, agent }: FirstSteps): string => {
  const chosen = useTeam()
  return project?.team ?? agent?.team ?? chosen ?? 'default'
}

export const FirstRun = ({ steps }: { readonly steps: FirstSteps }) => {
  const { project, agent, stack, hasSecret, isInSync } = steps
  const { url } = useLocation()
  const team = useTeamOf(steps)
  return (
    <Panel title="First steps: from nothing to a running stack">
      <ol class={s['steps']}>
        <Step title="1. Log in" done={`You are ${me.value?.name ?? 'in'}`} isNext={false}>
          {null}
        </Step>
        <Step
          title="2. Make a project"
          done={project === undefined ? undefined : `The project ${project.name} is there`}
          isNext
        >
          <p class="muted">A project is a set of secrets, and the stacks that get them.</p>
          <NewButton kind="project" resource="projects" given={{ then: url }} />
        </Step>
        <Step
          title="3. Add a machine"
          done={agent === undefined ? undefined : `${agent.name} has connected`}
          isNext={project !== undefined}
        >
          <Machine team={team} />
        </Step>
        <Step
          title="4. Declare a stack on it"
          done={stack === undefined ? undefined : `${stack.name} is declared on ${stack.agent}`}
          isNext={project !== undefined && agent !== undefined}
        >
          <p class="muted">Its Compose file is in a folder of the machine, and stays as it is.</p>
          <NewButton
            kind="stack"
            resource="stagelets"
            given={{ ...begunWith(steps), team, then: url }}
          />
        </Step>
        <Step
          title="5. Add the first secret"
          done={hasSecret ? 'The first secret is stored' : undefined}
          isNext={project !== undefined && stack !== undefined}
        >
          <p class="muted">Type one, or drop the .env file of the stack on the page.</p>
          {project === undefined ? null : (
            <LinkButton primary href={projectUrl(project)}>
              Add a secret to {project.name}
            </LinkButton>
          )}
        </Step>
        <Step
          title="6. See it in sync"
          done={isInSync ? 'Every container runs the newest secrets' : undefined}
          isNext={stack !== undefined && hasSecret}
        >
          <InSync stack={stack} />
        </Step>
      </ol>
    </Panel>
  )
}
