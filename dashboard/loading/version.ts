// Whether the controller serves this dashboard or another one: after an upgrade an open page is the one of before, and
// files that it has not loaded are gone.
import { signal, type ReadonlySignal } from '@preact/signals'
import { Unreachable } from '../api/client.ts'
import { isStreamLive } from '../live/stream.ts'

/** The page is of a build that the controller no longer serves. */
export class OtherVersion extends Error {
  override readonly name = 'OtherVersion'
  constructor() {
    super('The controller serves a newer version of the dashboard.')
  }
}

/** The file was refused, or is broken. */
export class FileFailed extends Error {
  override readonly name = 'FileFailed'
  constructor() {
    super('The controller answers, but did not send the file.')
  }
}

const isOther = signal(false)
/** The controller serves another build of the dashboard than this page. */
export const isOldVersion: ReadonlySignal<boolean> = isOther

/** The shell names the file of this build that all pages share. */
export const isOfBuild = (shell: string, own: string): boolean =>
  shell.includes(new URL(own, 'http://page').pathname)

/** Throws where the controller cannot be asked. */
const lookForVersion = async (): Promise<void> => {
  const answer = await fetch('/ui/', { cache: 'no-cache' }).catch(() => {
    throw new Unreachable()
  })
  // The answer of a proxy says nothing of the build.
  if (!answer.ok) throw new Unreachable()
  isOther.value = !isOfBuild(await answer.text(), import.meta.url)
}

/** Why a file did not come. */
export const whyNotLoaded = async (): Promise<Error> => {
  try {
    await lookForVersion()
  } catch (error) {
    return error instanceof Error ? error : new Unreachable()
  }
  return isOther.peek() ? new OtherVersion() : new FileFailed()
}

/** A controller that comes back may be another one. */
export const watchVersion = (): (() => void) => {
  let wasLive = true
  return isStreamLive.subscribe((live) => {
    if (live && !wasLive) void lookForVersion().catch(() => undefined)
    wasLive = live
  })
}
