import type { Logger } from './logger.js'

/** How loud a message is, in the host's own words. */
type ToastVariant = 'info' | 'success' | 'warning' | 'error'

/** A message on the user's screen. */
export interface Toast {
  readonly title?: string
  readonly message: string
  readonly variant: ToastVariant
  /** ms */
  readonly durationMs?: number
}

/** What the plugin asks of the program it lives in. Nothing here is awaited and nothing here throws. */
export interface HostPort extends Logger {
  /** Shows a message where there is a screen; does nothing in `opencode run`. */
  toast(toast: Toast): void
}
