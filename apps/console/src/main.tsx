import { render } from 'preact'
import { App } from './app.tsx'
import { follow } from './hub.ts'
import './style.css'

follow()
render(<App />, document.getElementById('app') as HTMLElement)
