import t from 'tap'
import { recordingObstacle } from '../../../gateway/calls/recording-obstacle.ts'

const needs = {
  spoolPath: t.testdir(),
  journalError: () => undefined,
  freeBytes: () => 2 ** 40,
}

t.test('nothing stands in the way of a recording on a healthy node', async (t) => {
  t.equal(recordingObstacle(needs), undefined)
  const { freeBytes: _, ...byTheKernel } = needs
  t.equal(recordingObstacle(byTheKernel), undefined)
})

t.test('a journal that cannot be written is an obstacle', async (t) => {
  const obstacle = recordingObstacle({ ...needs, journalError: () => 'ENOSPC' })
  t.equal(obstacle, 'the journal cannot be written: ENOSPC')
})

t.test('a full disk is an obstacle, and one that is gone', async (t) => {
  t.match(recordingObstacle({ ...needs, freeBytes: () => 1000 }), /only 1000 bytes are free/)
  const gone = { spoolPath: '/nonexistent/spool', journalError: () => undefined }
  t.match(recordingObstacle(gone), /cannot be used: ENOENT/)
})
