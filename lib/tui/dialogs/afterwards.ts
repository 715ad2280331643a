import type { DialogDeps } from './work.js'

/** How often is looked whether a dialog is still open, ms: the host tells nobody when one of its own closes. */
const LOOK_MS = 100
/** One dialog that hands on to the next may leave none open for a moment. */
const CALM_LOOKS = 3

/**
 * Comes back once every dialog that is open now, and those that follow it, are closed, whoever they belong to. Does nothing
 * where none is open, and where the host does not say whether one is.
 */
export function afterwards({ ui }: Pick<DialogDeps, 'ui'>, back: () => void): void {
  const { dialog } = ui.api.ui as { readonly dialog: { readonly open?: boolean } }
  if (dialog.open !== true) return
  let calm = 0
  const timer = setInterval(() => {
    calm = dialog.open === true ? 0 : calm + 1
    if (calm < CALM_LOOKS) return
    stop()
    back()
  }, LOOK_MS)
  timer.unref()
  const { lifecycle } = ui.api as { readonly lifecycle?: typeof ui.api.lifecycle }
  const forget = lifecycle?.onDispose(() => clearInterval(timer))
  const stop = (): void => {
    clearInterval(timer)
    forget?.()
  }
}
