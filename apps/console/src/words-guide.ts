/** What the guide's pages say around the chapters, in each language. */
import type { Language } from './words.ts'

const en = {
  about:
    'How a page learns that something changed on the server: for front-end developers. The examples run here, on this page, against this hub.',
  chapters: 'Chapters',
  onThisPage: 'In this chapter',
  contents: 'All chapters',
  previous: 'Before this',
  next: 'Next',
  pages: 'Chapters before and after',
  commands: 'In a terminal',
  copy: 'Copy',
  copied: 'Copied',
  prints: 'It prints',
  stream: 'The stream',
  events: 'What the page gets',
  run: 'Run it',
  again: 'Run it again',
  stop: 'Stop',
  log: 'What happens',
  publish: 'Publish',
  data: 'Data',
  type: 'Name',
  noType: 'none',
  channel: 'Channel',
  cut: 'Cut the connection',
  lastEventId: 'last event ID',
  connections: 'connections',
  away: (seconds: string) => `back after ${seconds} s`,
  waiting: 'the browser waits, and comes back by itself',
  look: 'This channel in the console',
  nothing: 'It began. Nothing has happened yet.',
}

export type GuideWords = typeof en

const ru: GuideWords = {
  about:
    'Как страница узнаёт, что на сервере что-то изменилось: для тех, кто делает страницы. Примеры выполняются прямо здесь, на этом хабе.',
  chapters: 'Главы',
  onThisPage: 'В этой главе',
  contents: 'Все главы',
  previous: 'Назад',
  next: 'Дальше',
  pages: 'Соседние главы',
  commands: 'В терминале',
  copy: 'Скопировать',
  copied: 'Скопировано',
  prints: 'Печатает',
  stream: 'Поток',
  events: 'Что получает страница',
  run: 'Выполнить',
  again: 'Выполнить ещё раз',
  stop: 'Остановить',
  log: 'Что происходит',
  publish: 'Опубликовать',
  data: 'Данные',
  type: 'Имя',
  noType: 'нет',
  channel: 'Канал',
  cut: 'Оборвать соединение',
  lastEventId: 'последний id',
  connections: 'соединений',
  away: (seconds) => `вернулся через ${seconds} с`,
  waiting: 'браузер ждёт и вернётся сам',
  look: 'Этот канал в консоли',
  nothing: 'Началось. Пока ничего не произошло.',
}

export const GUIDE_WORDS: Readonly<Record<Language, GuideWords>> = { en, ru }
