// Sends e-mail by the operator's mail server.
import { messageOf, StagelyError } from '../../src/kernel/errors.ts'
import { foreignTo } from '../../src/kinds/notifier/schema.ts'
import type { SmtpConfig } from './smtp-config.ts'
import type { Letter } from './message.ts'

interface Mail extends Letter {
  /** The same at each attempt: mail programs show what comes twice once. */
  readonly id: string
  readonly to: readonly string[]
}

export interface Mailer {
  /** Resolves to the addresses that the server has refused, when it has taken the mail for another one; else ServiceUnavailable. */
  readonly send: (mail: Mail, signal: AbortSignal) => Promise<readonly string[]>
}

const mostMs = 10_000

export const createMailer = ({
  host,
  port,
  tls,
  user,
  password,
  from,
  domains,
}: SmtpConfig): Mailer => ({
  send: async ({ id, to, subject, text }, signal) => {
    const foreign = foreignTo(domains, to)
    if (foreign.length > 0)
      throw new StagelyError(
        'Forbidden',
        `whoever runs the controller allows mail to ${domains!.join(', ')} alone (STAGELY_SMTP_DOMAINS): not to ${foreign.join(', ')}`,
      )
    const { createTransport } = await import('nodemailer')
    const transport = createTransport({
      host,
      port,
      secure: tls === 'implicit',
      // Without TLS only where the operator says so: a server that offers none is no reason to do without.
      requireTLS: tls === 'starttls',
      ignoreTLS: tls === 'none',
      ...(user !== undefined && { auth: { user, pass: password ?? '' } }),
      connectionTimeout: mostMs,
      greetingTimeout: mostMs,
      socketTimeout: mostMs,
      disableFileAccess: true,
      disableUrlAccess: true,
    })
    const close = (): void => transport.close()
    signal.addEventListener('abort', close)
    try {
      const { rejected } = await transport.sendMail({
        from,
        to: [...to],
        subject,
        text,
        messageId: `<${id}@stagely>`,
        headers: { 'Auto-Submitted': 'auto-generated' },
      })
      return rejected
    } catch (error) {
      throw new StagelyError('ServiceUnavailable', `the mail server: ${messageOf(error)}`)
    } finally {
      signal.removeEventListener('abort', close)
      transport.close()
    }
  },
})
