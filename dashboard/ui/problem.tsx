// Why something failed, in words: the reason, the fields it names, and the id to ask with.
import type { ComponentChild } from 'preact'
import { Component } from 'preact'
import { ApiProblem, Unreachable } from '../api/client.ts'
import { FileFailed, OtherVersion } from '../loading/version.ts'
import { Button } from './button.tsx'
import { messageText } from './text/message.ts'
import { Glyph } from './state.tsx'
import s from './problem.module.css'

const inWords: Readonly<Record<string, string>> = {
  NotFound: 'Not found, or you have no access.',
  Forbidden: 'Your role does not allow this.',
  TooManyRequests: 'Too many requests. Try again in a moment.',
  ServiceUnavailable: 'The controller cannot do this now.',
  ConfirmationRequired: 'Not done: your identity was not confirmed.',
  Conflict: 'Changed by somebody else in the meantime.',
  PreconditionFailed: 'Changed by somebody else in the meantime.',
}

export const titleOf = (error: unknown): string => {
  if (error instanceof Unreachable) return 'The controller cannot be reached.'
  if (error instanceof ApiProblem)
    return inWords[error.problem.reason] ?? 'The controller refused this.'
  if (error instanceof OtherVersion) return 'A new version of the dashboard is there.'
  if (error instanceof FileFailed) return 'The file of this page could not be loaded.'
  return 'Something went wrong on this page.'
}

/** The words of the controller. An error of the page has no words for people. */
export const detailOf = (error: unknown): string =>
  error instanceof ApiProblem
    ? messageText(error.message)
    : error instanceof Unreachable
      ? 'Check your network connection.'
      : error instanceof OtherVersion || error instanceof FileFailed
        ? error.message
        : ''

interface Props {
  readonly error: unknown
  /** What is not known because of it. */
  readonly what?: string | undefined
  readonly onRetry?: () => void
  readonly children?: ComponentChild
}

export const ProblemBox = ({ error, what, onRetry, children }: Props) => {
  const problem = error instanceof ApiProblem ? error.problem : undefined
  return (
    <div class={s['problem']} role="alert">
      <p class={s['title']}>
        <Glyph kind="fail" />
        {what === undefined ? '' : `${what} could not be read. `}
        {titleOf(error)}
      </p>
      <p>{detailOf(error)}</p>
      {problem?.errors === undefined ? null : (
        <ul>
          {problem.errors.map(({ field, message }) => (
            <li>
              <code>{field}</code> {messageText(message)}
            </li>
          ))}
        </ul>
      )}
      {problem === undefined || problem.request_id === '' ? null : (
        <p class="muted">
          Request <code>{problem.request_id}</code>
        </p>
      )}
      {children}
      {onRetry === undefined ? null : (
        <Button small onPress={onRetry}>
          Try again
        </Button>
      )}
    </div>
  )
}

interface BoundaryProps {
  readonly children: ComponentChild
}

/** One part that fails takes nothing else with it. */
export class Boundary extends Component<BoundaryProps, { readonly error?: unknown }> {
  override state: { readonly error?: unknown } = {}
  static override getDerivedStateFromError(error: unknown) {
    return { error }
  }
  override render() {
    const { error } = this.state
    if (error === undefined) return this.props.children
    return <ProblemBox error={error} onRetry={() => this.setState({ error: undefined })} />
  }
}
