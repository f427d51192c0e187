import { render } from 'preact'
import '../styles/base.css'
import { toast } from '../ui/announce.tsx'
import { detailOf, titleOf } from '../ui/problem.tsx'
import { DashboardApp } from './app.tsx'

// Nobody waits for what a press of a button starts: a fault that its own code does not show is shown here.
window.addEventListener('unhandledrejection', ({ reason }: PromiseRejectionEvent) =>
  toast({ kind: 'fail', text: `${titleOf(reason)} ${detailOf(reason)}`.trim() }),
)

render(<DashboardApp />, document.body)
