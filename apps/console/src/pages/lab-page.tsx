/** The Lab: a task to choose, the ways of reading side by side, and which of them fits. */
import { lab } from '../lab/run.ts'
import { TECHNIQUES } from '../lab/shared.ts'
import { speech } from '../language.ts'
import { csvOf } from '../model/lab-csv.ts'
import type { Finished } from '../model/lab-result.ts'
import { Costs } from '../parts/lab/costs.tsx'
import { DelayRows } from '../parts/lab/delays.tsx'
import { TaskForm } from '../parts/lab/task-form.tsx'
import { Timeline } from '../parts/lab/timeline.tsx'
import { Verdict, Ways } from '../parts/lab/verdict.tsx'
import { useChanging } from '../store.ts'
import { LAB_WORDS } from '../words-lab.ts'
import './lab.css'

export function LabPage() {
  useChanging(lab, speech)
  const words = LAB_WORDS[speech.language]
  return (
    <div class="lab">
      <h1>{words.title}</h1>
      <p class="lab-intro">{words.intro}</p>
      <TaskForm />
      <Result />
    </div>
  )
}

function Result() {
  const words = LAB_WORDS[speech.language]
  const { result, traces, finished, running } = lab
  if (!result) return <Ways techniques={TECHNIQUES} />
  const before = finished.find((one) => one.report.id !== result.report.id)
  return (
    <>
      {result.report.published > 0 ? (
        <Verdict advice={result.advice} after={running ? result.report.elapsed : undefined} />
      ) : (
        <Ways techniques={TECHNIQUES} />
      )}
      {traces && <Timeline traces={traces} />}
      {result.report.published > 0 && (
        <>
          <DelayRows result={result} />
          <Costs result={result} before={before} />
        </>
      )}
      {!running && result.report.published > 0 && (
        <p>
          <button type="button" onClick={() => save(result)}>
            {words.csv}
          </button>
        </p>
      )}
    </>
  )
}

function save(result: Finished): void {
  const url = URL.createObjectURL(new Blob([csvOf(result, lab.samples)], { type: 'text/csv' }))
  const link = document.createElement('a')
  link.href = url
  link.download = `downlink-lab-${result.report.id}.csv`
  link.click()
  setTimeout(() => URL.revokeObjectURL(url), 10_000)
}
