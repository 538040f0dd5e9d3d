/** What the Lab says, in each language. The recommendation's Russian is in `words-lab-advice.ts`; its English is the hub's own. */
import {
  type AdviceWords,
  ENGLISH,
  ENGLISH_UNITS,
  type Figures,
  figures,
  type LabSettings,
  type Preset,
  RUSSIAN_UNITS,
  type Technique,
} from './lab/shared.ts'
import type { Fault, Field } from './model/lab-form.ts'
import type { Language } from './words.ts'
import { RUSSIAN } from './words-lab-advice.ts'

const enFigures = figures('en', ENGLISH_UNITS)
const ruFigures = figures('ru', RUSSIAN_UNITS)
const ruForms = new Intl.PluralRules('ru')

/** `one` событие, `few` события, `many` событий. */
export function russian(value: number, one: string, few: string, many: string): string {
  const rule = ruForms.select(value)
  return rule === 'one' ? one : rule === 'few' ? few : rule === 'many' ? many : few
}

const en = {
  figures: enFigures,
  advice: ENGLISH,
  title: 'Lab',
  intro:
    'A page wants to know what happens on a server. There are four ways to find out, and each costs something else. Choose a task: all four do it side by side, on the same events of this hub, and you see which one fits.',
  names: {
    poll: 'Polling',
    'long-poll': 'Long polling',
    sse: 'Server-Sent Events',
    websocket: 'WebSocket',
  } satisfies Record<Technique, string>,
  how: {
    poll: 'The page asks again and again: “anything new?”',
    'long-poll': 'The page asks, and the server answers only when there is something.',
    sse: 'The page asks once, and the answer never ends: each event is sent along it.',
    websocket: 'A connection of its own protocol, both ways.',
  } satisfies Record<Technique, string>,
  task: 'Your task',
  presets: {
    notifications: ['Notifications', 'Something for somebody, now and then. Half a minute late is fine.'],
    chat: ['Chat tokens', 'The words of an answer while they are made: twenty a second.'],
    dashboard: ['A dashboard', 'Figures that change each second.'],
    orders: ['Order status', 'An order is packed, sent, delivered: a step in five seconds.'],
    ticks: ['Stock ticks', 'Fifty prices a second, many at once.'],
  } satisfies Record<Preset, readonly [string, string]>,
  presetFigures: (rate: string, late: string) => `${rate}; at most ${late} late`,
  rateOf: (rate: number) =>
    rate >= 1 ? `${enFigures.count(rate)} a second` : `one in ${enFigures.time(1000 / rate)}`,
  fine: 'Fine tuning',
  fields: {
    late: 'How late an event may be shown, s',
    rate: 'Events',
    size: 'Size of an event, bytes',
    clients: 'Clients of each kind',
    pollEvery: 'Polling asks every, s',
    delay: 'Added delay each way, ms',
    cutAfter: 'Connections are cut after, s (0: never)',
    seconds: 'How long it runs, s',
    techniques: 'Ways to compare',
  } satisfies Record<Field, string>,
  events: 'Events',
  network: 'Network',
  run: 'Run',
  rateSlider: 'Events, from one a minute to 100 a second',
  per: { second: 'a second', minute: 'a minute' },
  shape: 'How they come',
  shapes: {
    steady: 'evenly',
    bursts: 'ten at once, then a pause',
    poisson: 'at random',
  } satisfies Record<LabSettings['events']['shape'], string>,
  buffering: 'A proxy in between that holds answers back until they end',
  cpu: 'Measure the hub’s CPU afterwards (about two seconds for each way)',
  fault(fault: Fault, say: (value: number) => string): string {
    switch (fault.code) {
      case 'number':
        return 'Type a number.'
      case 'bounds':
        return `Type a number from ${say(fault.least)} to ${say(fault.most)}${fault.orZero ? ', or 0' : ''}.`
      case 'whole':
        return 'Type a whole number.'
      case 'none-chosen':
        return 'Choose one at least.'
      case 'together':
        return `Together this is too much for one machine. ${fault.message}.`
    }
  },
  faults: (count: number) =>
    count === 1 ? 'One field needs another value.' : `${count} fields need other values.`,
  start: 'Run it',
  again: 'Run it again',
  stop: 'Stop',
  takes: (time: string) => `takes about ${time}`,
  starting: 'Connecting the clients…',
  running: (done: string, all: string) => `Running: ${done} of ${all}`,
  measuringCpu: 'Measuring CPU: each way by itself, one after the other…',
  done: 'Done.',
  stopped: 'Stopped. The figures are of the time until then.',
  failed: (reason: string) => `The run failed: ${reason}`,
  others: 'This run was started elsewhere: its clients are not on this page.',
  refused: {
    'lab-busy': 'Another run is under way on this hub. Wait for its end, or stop it.',
    forbidden: 'Your token does not allow that: the Lab needs inspect, and publish, read and drop on lab.**.',
    'not-found': 'The Lab is turned off on this hub.',
    network: 'The hub does not answer.',
    other: 'The hub refuses:',
  },
  stopOther: 'Stop the other run',
  verdict: 'Which way fits',
  soFar: 'So far, after',
  why: 'Why',
  against: 'What speaks against it',
  crossings: 'Where the lines cross',
  unknowns: 'Not found out',
  perClient: 'for each client',
  latePlain: (ms: string) => `Half of the events are shown within ${ms}`,
  bytesPlain: (bytes: string) => `costs ${bytes} a minute for each client`,
  out: {
    'nothing-came': 'no event came',
    missed: 'missed events',
    'held-back': 'held back on the way',
    'too-late': 'too late for this task',
  },
  best: 'fits best',
  good: 'would do as well',
  fits: 'in time',
  median: 'typical delay',
  perMinute: 'a minute for each client',
  timeline: 'Requests against events',
  timelineHow:
    'Time runs to the right. Each tick on the upper line is an event on the server; the slanted line leads to the moment when this page had it: the flatter, the later. A bar is a request, an empty bar one that brought nothing.',
  timelineNone: 'What the page’s own clients do is drawn here as soon as the run begins.',
  last: (seconds: number) => `the last ${seconds} s`,
  whole: 'the whole run',
  server: 'server',
  page: 'this page',
  view: 'Shown',
  asTable: 'As a table',
  delays: 'How late events were shown',
  delaysHow:
    'Each row: how many events took how long, on one scale, each step about twice the one before. p50: half were quicker. p99: one in a hundred was slower.',
  clock: (precision: string) => `This page’s clock agrees with the hub’s within ${precision}.`,
  costs: 'What it costs',
  costsHow: 'Measured at the hub’s sockets, shared out among the clients.',
  columns: {
    technique: 'Way',
    requests: 'Requests a minute, in this run',
    empty: 'brought nothing',
    down: 'Bytes down for an event',
    up: 'Bytes up for an event',
    connections: 'Connections held',
    cpu: 'Hub’s CPU for a delivery',
    p50: 'Delay p50',
    p99: 'Delay p99',
    received: 'Events received',
    missed: 'Missed',
    twice: 'Twice',
    requestCount: 'Requests',
    failed: 'Failed',
    upTo: 'Up to',
    more: 'more',
    clients: 'Clients',
  },
  head: 'headers',
  body: 'body',
  tooSmall: 'too small to measure',
  notMeasured: 'not measured',
  perEvent: 'for each event that reached a client',
  micro: (value: number) => `${enFigures.count(value)}\u00A0µs`,
  share: (value: number) => `${Math.round(value * 100)}\u00A0%`,
  csv: 'Download as CSV',
  before: 'The run before',
  compareHow: 'This run, and in brackets the one before:',
  runBefore: (rate: string, poll: string) => `${rate}, polls every ${poll}`,
}

export type LabWords = Omit<typeof en, 'advice' | 'figures'> & {
  readonly advice: AdviceWords
  readonly figures: Figures
}

const ru: LabWords = {
  figures: ruFigures,
  advice: RUSSIAN,
  title: 'Лаборатория',
  intro:
    'Странице нужно знать, что происходит на сервере. Узнать это можно четырьмя способами, и у каждого своя цена. Выберите задачу: все четыре решат её рядом, на одних и тех же событиях этого хаба, и будет видно, какой подходит.',
  names: {
    poll: 'Опрос',
    'long-poll': 'Длинный опрос',
    sse: 'Server-Sent Events',
    websocket: 'WebSocket',
  },
  how: {
    poll: 'Страница спрашивает снова и снова: «есть что-нибудь новое?»',
    'long-poll': 'Страница спрашивает, а сервер отвечает, только когда есть что сказать.',
    sse: 'Страница спрашивает один раз, и ответ не кончается: события идут по нему одно за другим.',
    websocket: 'Соединение со своим протоколом, в обе стороны.',
  },
  task: 'Ваша задача',
  presets: {
    notifications: ['Уведомления', 'Что-то для кого-то, изредка. Опоздать на полминуты не страшно.'],
    chat: ['Слова чат-бота', 'Слова ответа, пока он пишется: двадцать в секунду.'],
    dashboard: ['Панель показателей', 'Числа, которые меняются каждую секунду.'],
    orders: ['Статус заказа', 'Заказ собран, отправлен, доставлен: шаг раз в пять секунд.'],
    ticks: ['Котировки', 'Пятьдесят цен в секунду, помногу сразу.'],
  },
  presetFigures: (rate, late) => `${rate}; опоздание до ${late}`,
  rateOf: (rate) =>
    rate >= 1 ? `${ruFigures.count(rate)} в секунду` : `одно за ${ruFigures.time(1000 / rate)}`,
  fine: 'Точная настройка',
  fields: {
    late: 'На сколько событие может опоздать, с',
    rate: 'События',
    size: 'Размер события, байт',
    clients: 'Клиентов каждого вида',
    pollEvery: 'Опрос раз в, с',
    delay: 'Задержка в каждую сторону, мс',
    cutAfter: 'Соединения обрываются через, с (0: никогда)',
    seconds: 'Сколько идёт прогон, с',
    techniques: 'Что сравнить',
  },
  events: 'События',
  network: 'Сеть',
  run: 'Прогон',
  rateSlider: 'События, от одного в минуту до 100 в секунду',
  per: { second: 'в секунду', minute: 'в минуту' },
  shape: 'Как приходят',
  shapes: { steady: 'равномерно', bursts: 'по десять, потом пауза', poisson: 'случайно' },
  buffering: 'Прокси на пути, который придерживает ответ, пока тот не кончится',
  cpu: 'Потом измерить процессор хаба (около двух секунд на каждый способ)',
  fault(fault, say) {
    switch (fault.code) {
      case 'number':
        return 'Введите число.'
      case 'bounds':
        return `Введите число от ${say(fault.least)} до ${say(fault.most)}${fault.orZero ? ' или 0' : ''}.`
      case 'whole':
        return 'Введите целое число.'
      case 'none-chosen':
        return 'Выберите хотя бы один.'
      case 'together':
        return `Всё вместе — слишком много для одной машины. ${fault.message}.`
    }
  },
  faults: (count) =>
    `${count} ${russian(count, 'поле требует', 'поля требуют', 'полей требуют')} другого значения.`,
  start: 'Запустить',
  again: 'Запустить снова',
  stop: 'Остановить',
  takes: (time) => `займёт около ${time}`,
  starting: 'Клиенты подключаются…',
  running: (done, all) => `Идёт: ${done} из ${all}`,
  measuringCpu: 'Измеряется процессор: каждый способ сам по себе, по очереди…',
  done: 'Готово.',
  stopped: 'Остановлено. Числа — за время до остановки.',
  failed: (reason) => `Прогон не удался: ${reason}`,
  others: 'Этот прогон запущен не здесь: его клиентов нет на этой странице.',
  refused: {
    'lab-busy': 'На этом хабе уже идёт другой прогон. Дождитесь его конца или остановите его.',
    forbidden:
      'Ваш токен этого не позволяет: Лаборатории нужны inspect, а для lab.** — publish, read и drop.',
    'not-found': 'На этом хабе Лаборатория выключена.',
    network: 'Хаб не отвечает.',
    other: 'Хаб отказывает:',
  },
  stopOther: 'Остановить другой прогон',
  verdict: 'Какой способ подходит',
  soFar: 'Пока что, через',
  why: 'Почему',
  against: 'Что против',
  crossings: 'Где линии пересекаются',
  unknowns: 'Что осталось неизвестным',
  perClient: 'на клиента',
  latePlain: (ms) => `Половина событий показана за ${ms}`,
  bytesPlain: (bytes) => `стоит ${bytes} в минуту на клиента`,
  out: {
    'nothing-came': 'ни одного события',
    missed: 'события потеряны',
    'held-back': 'задержан на пути',
    'too-late': 'для этой задачи поздно',
  },
  best: 'подходит лучше всех',
  good: 'подойдёт не хуже',
  fits: 'успевает',
  median: 'обычная задержка',
  perMinute: 'в минуту на клиента',
  timeline: 'Запросы и события',
  timelineHow:
    'Время идёт вправо. Чёрточка на верхней линии — событие на сервере; наклонная ведёт к моменту, когда его получила эта страница: чем положе, тем позже. Полоса — запрос, пустая полоса — запрос, который ничего не принёс.',
  timelineNone: 'Здесь рисуется, что делают клиенты самой страницы, как только прогон начнётся.',
  last: (seconds) => `последние ${seconds} с`,
  whole: 'весь прогон',
  server: 'сервер',
  page: 'эта страница',
  view: 'Показано',
  asTable: 'Таблицей',
  delays: 'С каким опозданием показаны события',
  delaysHow:
    'В каждой строке: сколько событий шли сколько времени, на одной шкале, каждый шаг примерно вдвое больше прежнего. p50: половина пришла быстрее. p99: одно из ста пришло позже.',
  clock: (precision) => `Часы страницы сходятся с часами хаба до ${precision}.`,
  costs: 'Чего это стоит',
  costsHow: 'Измерено на сокетах хаба, поделено между клиентами.',
  columns: {
    technique: 'Способ',
    requests: 'Запросов в минуту, в этом прогоне',
    empty: 'не принесли ничего',
    down: 'Байт на событие, вниз',
    up: 'Байт на событие, вверх',
    connections: 'Соединений занято',
    cpu: 'Процессор хаба на доставку',
    p50: 'Задержка p50',
    p99: 'Задержка p99',
    received: 'Событий получено',
    missed: 'Потеряно',
    twice: 'Дважды',
    requestCount: 'Запросов',
    failed: 'Неудачных',
    upTo: 'До',
    more: 'больше',
    clients: 'Клиентов',
  },
  head: 'заголовки',
  body: 'тело',
  tooSmall: 'слишком мало, чтобы измерить',
  notMeasured: 'не измерено',
  perEvent: 'на каждое событие, дошедшее до клиента',
  micro: (value) => `${ruFigures.count(value)}\u00A0мкс`,
  share: (value) => `${Math.round(value * 100)}\u00A0%`,
  csv: 'Скачать CSV',
  before: 'Предыдущий прогон',
  compareHow: 'Этот прогон, в скобках — предыдущий:',
  runBefore: (rate, poll) => `${rate}, опрос раз в ${poll}`,
}

export const LAB_WORDS: Readonly<Record<Language, LabWords>> = { en, ru }
