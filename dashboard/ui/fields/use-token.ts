// The field in which a person pastes a token, for a login and for its confirmation. The token is in the field only.
import { useEffect, useRef } from 'preact/hooks'
import { ApiProblem } from '../../api/client.ts'
import { detailOf, titleOf } from '../problem.tsx'
import { useSending } from '../use-sending.ts'

const nothing = new Error('Paste a token first.')

const faultOf = (error: unknown): string => {
  if (error === nothing) return nothing.message
  return error instanceof ApiProblem && error.problem.status === 401
    ? 'This token is not valid. It may be mistyped, revoked or expired.'
    : `${titleOf(error)} ${detailOf(error)}`
}

/** `send` resolves where the token was taken. */
export const useToken = (send: (token: string) => Promise<void>, onDone: () => void) => {
  const field = useRef<HTMLInputElement>(null)
  const { busy, error, run } = useSending()
  useEffect(() => {
    field.current?.focus()
  }, [])
  const onSubmit = (event: Event): void => {
    event.preventDefault()
    void run(async () => {
      const token = field.current?.value.trim() ?? ''
      if (token === '') throw nothing
      await send(token)
      if (field.current !== null) field.current.value = ''
      onDone()
    })
  }
  return { field, busy, onSubmit, fault: error === undefined ? undefined : faultOf(error) }
}
