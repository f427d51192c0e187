// A page whose file comes when it is opened. While it does not come, the page says why, and shows itself once it is there.
import { lazy } from 'preact-iso'
import type { ComponentType } from 'preact'
import { useEffect } from 'preact/hooks'
import { knownFailure } from '../live/known.ts'
import { PageFrame, Skeleton } from '../ui/page.tsx'
import { FailureBox } from '../ui/when-known.tsx'
import type { Later } from '../loading/later.ts'

export type PageFile = Later<{ readonly Page: ComponentType }>

const viewOf = (file: PageFile) => () => {
  useEffect(() => file.want(), [])
  const page = file.file.value
  if (page.state === 'known') return <page.value.Page />
  const failure = knownFailure(page)
  return (
    <PageFrame
      windowTitle="◌ Page"
      title={failure === undefined ? 'Loading' : 'This page could not be loaded'}
    >
      {failure === undefined ? <Skeleton rows={8} /> : <FailureBox failure={failure} />}
    </PageFrame>
  )
}

/** The page before stays until the file is there, or says that it does not come. */
export const lazyView = (file: PageFile) =>
  lazy(async () => {
    await file.first()
    return viewOf(file)
  })
