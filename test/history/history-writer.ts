import { systemClock } from '../../lib/kernel/clock.js'
import { silentLogger } from '../../lib/kernel/logger.js'
import { createHistory } from '../../lib/history/history.js'

/** One window that notes turns in small batches: name, number of batches, lines in each, bound of the file in bytes. */
const [file = '', name = '', batches = '0', perBatch = '0', maxBytes = '0'] = process.argv.slice(2)
setInterval(() => undefined, 60_000)
for (let batch = 0; batch < Number(batches); batch += 1) {
  const history = createHistory({
    file,
    clock: systemClock,
    log: silentLogger,
    bounds: { maxAgeMs: 3_600_000, maxBytes: Number(maxBytes) },
  })
  for (let line = 0; line < Number(perBatch); line += 1) {
    const old = line % 2 === 0
    history.note({
      type: 'turn',
      atMs: old ? Date.now() - 7_200_000 : Date.now(),
      uid: name,
      model: old ? 'old' : `${batch}-${line}`,
      inputTokens: 1,
      cachedTokens: 0,
      outputTokens: 1,
      reasoningTokens: 0,
      durationMs: 1,
      attempts: 1,
    })
  }
  // A close would wait for the others for a moment only.
  await history.read()
}
process.exit(0)
