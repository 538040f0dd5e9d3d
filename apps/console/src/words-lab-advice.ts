/** The recommendation in Russian sentences. */
import { type AdviceWords, figures, RUSSIAN_UNITS, type Technique } from './lab/shared.ts'

const { bytes, count, time } = figures('ru', RUSSIAN_UNITS)
const rules = new Intl.PluralRules('ru')

interface Name {
  readonly who: string
  /** С чем сравнивают: дешевле, чем … */
  readonly than: string
  /** Чем узнают. */
  readonly by: string
}

const NAMES: Readonly<Record<Technique, Name>> = {
  poll: { who: 'опрос', than: 'опрос', by: 'опросом' },
  'long-poll': { who: 'длинный опрос', than: 'длинный опрос', by: 'длинным опросом' },
  sse: { who: 'Server-Sent Events', than: 'Server-Sent Events', by: 'через Server-Sent Events' },
  websocket: { who: 'WebSocket', than: 'WebSocket', by: 'через WebSocket' },
}
const who = (technique: Technique): string => NAMES[technique].who
const Who = (technique: Technique): string => who(technique).charAt(0).toUpperCase() + who(technique).slice(1)
const by = (technique: Technique): string => NAMES[technique].by
/** SSE во множественном числе. */
const verb = (technique: Technique, one: string, many: string): string => (technique === 'sse' ? many : one)
const list = (parts: readonly string[]): string =>
  parts.length < 2 ? parts.join('') : `${parts.slice(0, -1).join(', ')} и ${parts.at(-1) ?? ''}`

function form(value: number, one: string, few: string, many: string): string {
  const rule = rules.select(value < 10 ? Math.round(value * 10) / 10 : Math.round(value))
  return rule === 'one' ? one : rule === 'many' ? many : few
}

function shortRate(rate: number): string {
  return rate < 1 ? `одно за ${time(1000 / rate)}` : `${count(rate)} в секунду`
}

function rateOf(rate: number): string {
  if (rate < 1) return `одно событие за ${time(1000 / rate)}`
  return `${count(rate)} ${form(rate, 'событие', 'события', 'событий')} в секунду`
}

export const RUSSIAN: AdviceWords = {
  techniques: {
    poll: 'опрос',
    'long-poll': 'длинный опрос',
    sse: 'Server-Sent Events',
    websocket: 'WebSocket',
  },
  choice(technique, ties) {
    const choice = `${Who(technique)} ${verb(technique, 'подходит', 'подходят')} для этой задачи`
    if (ties.length === 0) return `${choice}.`
    return `${choice}; ${list(ties.map(who))} ${ties.length === 1 ? verb(ties[0] as Technique, 'подойдёт', 'подойдут') : 'подойдут'} не хуже.`
  },
  noChoice: 'Посоветовать нечего: ни одно событие не дошло.',
  reason(reason) {
    switch (reason.code) {
      case 'in-time':
        return `${Who(reason.technique)} ${verb(reason.technique, 'показывает', 'показывают')} половину событий за ${time(reason.p50)}, 99 % — за ${time(reason.p99)}; ваша задача допускает ${time(reason.late)}.`
      case 'poll-late': {
        const { every, mean, late } = reason
        const fits = every > late ? `это больше допустимых ${time(late)}` : `а допустимо ${time(late)}`
        return `Опрос раз в ${time(every)} показывает событие с опозданием в среднем ${time(mean)}, в худшем случае ${time(every)}: ${fits}.`
      }
      case 'too-late':
        return `Половина событий ${by(reason.technique)} пришла здесь позже чем через ${time(reason.p50)}; ваша задача допускает ${time(reason.late)}.`
      case 'held-back':
        return `${Who(reason.technique)} ${verb(reason.technique, 'задерживает', 'задерживает')} что-то на пути: прокси ничего не передаёт, пока ответ не кончится.`
      case 'gets-through':
        return `${Who(reason.technique)} через него ${verb(reason.technique, 'проходит', 'проходят')}.`
      case 'missed':
        return `${count(reason.missed)} ${form(reason.missed, 'событие', 'события', 'событий')} ${by(reason.technique)} так и не ${form(reason.missed, 'пришло', 'пришли', 'пришли')}.`
      case 'nothing-came':
        return reason.refused > 0
          ? `Ничего не пришло ${by(reason.technique)}: отказано в ${count(reason.refused)} ${form(reason.refused, 'запросе', 'запросах', 'запросах')}.`
          : `Ничего не пришло ${by(reason.technique)}.`
      case 'fewer-bytes': {
        const others = reason.others.map((other) => `${who(other.technique)} — ${bytes(other.bytes)}`)
        return `${Who(reason.technique)} ${verb(reason.technique, 'стоит', 'стоят')} ${bytes(reason.bytes)} в минуту на клиента, ${list(others)}.`
      }
      case 'simpler':
        return `${Who(reason.other)} ${verb(reason.other, 'сберёг бы', 'сберегли бы')} ${bytes(reason.saves)} в минуту на клиента: слишком мало за то, чего ${verb(reason.other, 'он требует', 'они требуют')} сверх того, что даёт ${who(reason.technique)}.`
      case 'packed':
        return `${Who(reason.other)} ${verb(reason.other, 'стоит', 'стоят')} на ${bytes(reason.saves)} в минуту меньше только потому, что его ответы здесь сжаты. Хаб умеет сжимать и потоки.`
      case 'asks-once':
        return `${Who(reason.technique)} ${verb(reason.technique, 'спрашивает', 'спрашивают')} один раз на соединение, то есть раз в полчаса; опрос — ${count(reason.polls)} ${form(reason.polls, 'раз', 'раза', 'раз')} в минуту.`
      case 'empty-polls':
        return `${count(reason.empty)} из ${count(reason.requests)} опросов не принесли ничего.`
      case 'least-late':
        return `Ничто не показывает события за допустимые ${time(reason.late)}. Меньше всего ${verb(reason.technique, 'опаздывает', 'опаздывают')} ${who(reason.technique)}: половина событий за ${time(reason.p50)}.`
    }
  },
  caveat(caveat) {
    switch (caveat.code) {
      case 'holds-connection':
        return 'Каждый клиент держит соединение всё время, пока слушает; опросу между запросами оно не нужно.'
      case 'six-connections':
        return 'По HTTP/1.1 браузер открывает к одному хосту шесть соединений на все вкладки: делите одно между вкладками или включите HTTP/2.'
      case 'sooner':
        return `${Who(caveat.other)} ${verb(caveat.other, 'показал бы', 'показали бы')} события за ${time(caveat.p50)}, а не в среднем за ${time(caveat.mean)}.`
      case 'more-cpu':
        return `Доставка ${by(caveat.technique)} стоит хабу ${count(caveat.cpu)} мкс процессора, ${by(caveat.other)} — ${count(caveat.otherCpu)} мкс.`
      case 'request-per-event':
        return `Запросов ${count(caveat.requests)} в минуту: почти по одному на событие.`
      case 'own-protocol':
        return 'Открытый WebSocket — уже не HTTP: переподключаться, продолжать с места и снова входить придётся самим, а некоторые прокси его не пропускают.'
    }
  },
  crossing(crossing) {
    switch (crossing.code) {
      case 'rate':
        return `Если событий меньше, чем ${shortRate(crossing.rate)}, ${who(crossing.below)} ${verb(crossing.below, 'стоит', 'стоят')} меньше байт, чем ${NAMES[crossing.above].than}; если больше — больше.`
      case 'always':
        return `${Who(crossing.technique)} ${verb(crossing.technique, 'стоит', 'стоят')} меньше байт, чем ${list(crossing.others.map((other) => NAMES[other].than))}, при любой частоте: от одного события в минуту до 100 в секунду.`
      case 'interval':
        return `Опрос стоит меньше байт, чем ${NAMES[crossing.other].than}, только если спрашивать реже чем раз в ${time(crossing.every)}; тогда событие опаздывает в среднем на ${time(crossing.late)}.`
      case 'no-interval':
        return `Как редко ни спрашивай, при этой частоте опрос стоит больше байт, чем ${NAMES[crossing.other].than}: в странице каждое событие больше.`
      case 'cpu':
        return `Начиная с частоты «${rateOf(crossing.rate)}» опрос стоит хабу меньше процессора, чем ${NAMES[crossing.other].than}: один ответ приносит несколько событий.`
    }
  },
  unknown(unknown) {
    switch (unknown.code) {
      case 'not-run':
        return `${Who(unknown.technique)} не ${verb(unknown.technique, 'измерялся', 'измерялись')}.`
      case 'no-cpu':
        return 'Процессор не измерялся.'
      case 'few-events':
        return `Событий было только ${count(unknown.events)}: задержки и байты на событие могут быть неточны.`
      case 'short':
        return `Прогон в ${time(unknown.seconds * 1000)} короток для опроса раз в ${time(unknown.every)}.`
      case 'no-crowd':
        return 'Толпы клиентов не было: все числа — от клиентов самой страницы.'
      case 'slow-machine':
        return `Машина не справлялась, отставая на ${time(unknown.behind)}: задержки больше, чем могли бы быть.`
    }
  },
}
