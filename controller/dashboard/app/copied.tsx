// What was done last, as commands: for pages that have no list of what can be done.
import { CopyDialog } from '../ui/copy-as.tsx'

export const Copied = ({ onClose }: { readonly onClose: () => void }) => (
  <CopyDialog doings={[]} onClose={onClose} />
)
