/**
 * Stands in for `signal-exit` in the bundles. proper-lockfile wants to remove its locks when the process ends; the real
 * package takes over the handling of signals for that, which changes how the host reacts to SIGTERM and SIGINT. Here only
 * an orderly exit is hooked: a lock that a signal leaves behind goes stale by itself.
 */
module.exports = (callback) => {
  process.on('exit', callback)
  return () => process.off('exit', callback)
}
