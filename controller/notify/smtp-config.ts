// Which mail server Notifiers use: STAGELY_SMTP_URL and STAGELY_SMTP_FROM.
type Env = Readonly<Record<string, string | undefined>>

export interface SmtpConfig {
  readonly host: string
  readonly port: number
  readonly tls: 'implicit' | 'starttls' | 'none'
  readonly user: string | undefined
  readonly password: string | undefined
  /** Sender, such as `Stagely <stagely@example.com>`. */
  readonly from: string
}

const urlFault =
  'STAGELY_SMTP_URL must be smtps://user:password@mail.example.com, or smtp://… for a server with STARTTLS; smtp://localhost:25?tls=none for a relay without TLS'

const given = (text: string): string | undefined =>
  text === '' ? undefined : decodeURIComponent(text)

/** Faults name no part of the URL: there may be a password in it. */
export const parseSmtp = (env: Env, faults: string[]): SmtpConfig | undefined => {
  const { STAGELY_SMTP_URL: text = '', STAGELY_SMTP_FROM: from = '' } = env
  if (text === '' && from === '') return undefined
  if (text === '') faults.push('STAGELY_SMTP_FROM is set, and STAGELY_SMTP_URL is not')
  if (!/@[^\s@]+$/.test(from))
    faults.push('STAGELY_SMTP_FROM must be a sender, such as Stagely <stagely@example.com>')
  const url = URL.canParse(text) ? new URL(text) : undefined
  const tls = url?.searchParams.get('tls')
  if (
    url === undefined ||
    !['smtp:', 'smtps:'].includes(url.protocol) ||
    url.hostname === '' ||
    !(tls === null || (tls === 'none' && url.protocol === 'smtp:'))
  ) {
    if (text !== '') faults.push(urlFault)
    return undefined
  }
  const isImplicit = url.protocol === 'smtps:'
  try {
    return {
      host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
      port: url.port === '' ? (isImplicit ? 465 : 587) : Number(url.port),
      tls: isImplicit ? 'implicit' : tls === 'none' ? 'none' : 'starttls',
      ...{ user: given(url.username), password: given(url.password), from },
    }
  } catch {
    faults.push(urlFault)
    return undefined
  }
}
