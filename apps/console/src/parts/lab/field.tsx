/** A number to type, and what is wrong with it. */
import type { ComponentChildren } from 'preact'
import { form } from '../../lab/draft.ts'
import { speech } from '../../language.ts'
import type { Fault, Field } from '../../model/lab-form.ts'
import { LAB_WORDS } from '../../words-lab.ts'

type NumberField = Exclude<Field, 'techniques'>
type Faults = ReadonlyMap<Field, Fault>

export function NumberInput({
  field,
  faults,
  children,
}: {
  field: NumberField
  faults: Faults
  /** Beside the input. */
  children?: ComponentChildren
}) {
  const words = LAB_WORDS[speech.language]
  const fault = faults.get(field)
  const id = `lab-${field}`
  return (
    <div class="field">
      <label for={id}>{words.fields[field]}</label>
      <span class="inputs">
        <input
          id={id}
          inputMode="decimal"
          autocomplete="off"
          value={form.draft[field]}
          aria-invalid={fault !== undefined}
          aria-describedby={fault && `${id}-fault`}
          onInput={({ currentTarget }) => form.set({ [field]: currentTarget.value })}
        />
        {children}
      </span>
      <FaultText id={`${id}-fault`} fault={fault} />
    </div>
  )
}

export function FaultText({ id, fault }: { id: string; fault: Fault | undefined }) {
  const words = LAB_WORDS[speech.language]
  const number = new Intl.NumberFormat(speech.language, { maximumSignificantDigits: 6 })
  return fault ? (
    <p id={id} class="fault">
      {words.fault(fault, (value) => number.format(value))}
    </p>
  ) : null
}
