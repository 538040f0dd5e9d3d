/** What is asked of the Lab: a task to choose, and all of it to be tuned. */
import { form } from '../../lab/draft.ts'
import { lab } from '../../lab/run.ts'
import { LAB_PRESETS, PRESET_LATE_MS, PRESETS, SHAPES, type Technique, TECHNIQUES } from '../../lab/shared.ts'
import { speech } from '../../language.ts'
import {
  type Fault,
  type Field,
  RATE_STEPS,
  rateAt,
  rateDraft,
  rateOf,
  stepOf,
} from '../../model/lab-form.ts'
import { useChanging } from '../../store.ts'
import { LAB_WORDS } from '../../words-lab.ts'
import { FaultText, NumberInput } from './field.tsx'
import { Progress } from './progress.tsx'
import { WayMark } from './way.tsx'

const NO_FAULTS: ReadonlyMap<Field, Fault> = new Map()

export function TaskForm() {
  useChanging(form, lab, speech)
  const words = LAB_WORDS[speech.language]
  const { checked } = form
  const faults = 'faults' in checked ? checked.faults : NO_FAULTS
  return (
    <form
      class="lab-task"
      noValidate
      onSubmit={(event) => {
        event.preventDefault()
        if ('faults' in checked) {
          form.fine = true
          form.changed()
          const [field] = checked.faults.keys()
          requestAnimationFrame(() => document.getElementById(`lab-${field}`)?.focus())
        } else void lab.start(checked.settings, checked.late)
      }}
    >
      <fieldset class="presets">
        <legend>{words.task}</legend>
        {PRESETS.map((preset) => {
          const [title, sentence] = words.presets[preset]
          return (
            <label key={preset} class="preset">
              <input
                type="radio"
                name="preset"
                checked={form.draft.preset === preset}
                onChange={() => form.choose(preset)}
              />
              <span>
                <strong>{title}</strong>
                <span>{sentence}</span>
                <small>
                  {words.presetFigures(
                    words.rateOf(LAB_PRESETS[preset].events.rate),
                    words.figures.time(PRESET_LATE_MS[preset]),
                  )}
                </small>
              </span>
            </label>
          )
        })}
      </fieldset>
      <details
        open={form.fine}
        onToggle={({ currentTarget }) => {
          form.fine = currentTarget.open
        }}
      >
        <summary>{words.fine}</summary>
        <FineTuning faults={faults} />
      </details>
      <Progress faults={faults} />
    </form>
  )
}

function FineTuning({ faults }: { faults: ReadonlyMap<Field, Fault> }) {
  const words = LAB_WORDS[speech.language]
  const { draft } = form
  const rate = rateOf(draft) ?? 0
  return (
    <div class="fine">
      <fieldset>
        <legend>{words.events}</legend>
        <div class="field">
          <label for="lab-slider">{words.rateSlider}</label>
          <input
            id="lab-slider"
            type="range"
            min={0}
            max={RATE_STEPS}
            value={stepOf(rate)}
            aria-valuetext={words.rateOf(rate)}
            onInput={({ currentTarget }) => form.set(rateDraft(rateAt(currentTarget.valueAsNumber)))}
          />
        </div>
        <NumberInput field="rate" faults={faults}>
          <select
            aria-label={words.per[draft.ratePer]}
            value={draft.ratePer}
            onChange={({ currentTarget }) =>
              form.set({ ratePer: currentTarget.value === 'minute' ? 'minute' : 'second' })
            }
          >
            <option value="second">{words.per.second}</option>
            <option value="minute">{words.per.minute}</option>
          </select>
        </NumberInput>
        <div class="field">
          <label for="lab-shape">{words.shape}</label>
          <select
            id="lab-shape"
            value={draft.shape}
            onChange={({ currentTarget }) => {
              const shape = SHAPES.find((one) => one === currentTarget.value)
              if (shape) form.set({ shape })
            }}
          >
            {SHAPES.map((shape) => (
              <option key={shape} value={shape}>
                {words.shapes[shape]}
              </option>
            ))}
          </select>
        </div>
        <NumberInput field="size" faults={faults} />
        <NumberInput field="late" faults={faults} />
      </fieldset>
      <fieldset id="lab-techniques" tabIndex={-1}>
        <legend>{words.fields.techniques}</legend>
        {TECHNIQUES.map((technique) => (
          <label key={technique} class="check">
            <input
              type="checkbox"
              checked={draft.techniques.includes(technique)}
              onChange={({ currentTarget }) =>
                form.set({ techniques: withTechnique(draft.techniques, technique, currentTarget.checked) })
              }
            />
            <WayMark technique={technique} />
            {words.names[technique]}
          </label>
        ))}
        <FaultText id="lab-techniques-fault" fault={faults.get('techniques')} />
        <NumberInput field="pollEvery" faults={faults} />
        <NumberInput field="clients" faults={faults} />
      </fieldset>
      <fieldset>
        <legend>{words.network}</legend>
        <NumberInput field="delay" faults={faults} />
        <NumberInput field="cutAfter" faults={faults} />
        <label class="check">
          <input
            type="checkbox"
            checked={draft.buffering}
            onChange={({ currentTarget }) => form.set({ buffering: currentTarget.checked })}
          />
          {words.buffering}
        </label>
      </fieldset>
      <fieldset>
        <legend>{words.run}</legend>
        <NumberInput field="seconds" faults={faults} />
        <label class="check">
          <input
            type="checkbox"
            checked={draft.cpu}
            onChange={({ currentTarget }) => form.set({ cpu: currentTarget.checked })}
          />
          {words.cpu}
        </label>
      </fieldset>
    </div>
  )
}

function withTechnique(
  before: readonly Technique[],
  technique: Technique,
  chosen: boolean,
): readonly Technique[] {
  return TECHNIQUES.filter((one) => (one === technique ? chosen : before.includes(one)))
}
