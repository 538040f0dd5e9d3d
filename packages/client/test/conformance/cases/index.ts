import type { Case } from '../case.ts'
import { closeCases } from './close.ts'
import { contentTypeCases } from './content-type.ts'
import { crossOriginCases } from './cross-origin.ts'
import { errorDetailCases } from './error-details.ts'
import { fieldCases } from './fields.ts'
import { fromStreamCases } from './from-stream.ts'
import { handlerCases } from './handlers.ts'
import { idCases } from './ids.ts'
import { initCases } from './init.ts'
import { interfaceCases } from './interface.ts'
import { lifetimeCases } from './lifetime.ts'
import { lineCases } from './lines.ts'
import { messageCases } from './messages.ts'
import { networkCases } from './network.ts'
import { optionCases } from './options.ts'
import { redirectCases } from './redirects.ts'
import { requestCases } from './request.ts'
import { retryCases } from './retry.ts'
import { stateCases } from './states.ts'
import { statusCases } from './status.ts'
import { urlCases } from './urls.ts'

export const cases: readonly Case[] = [
  ...interfaceCases,
  ...initCases,
  ...urlCases,
  ...handlerCases,
  ...requestCases,
  ...crossOriginCases,
  ...statusCases,
  ...contentTypeCases,
  ...redirectCases,
  ...networkCases,
  ...stateCases,
  ...closeCases,
  ...lineCases,
  ...fieldCases,
  ...idCases,
  ...retryCases,
  ...messageCases,
  ...lifetimeCases,
  ...fromStreamCases,
  ...optionCases,
  ...errorDetailCases,
]
