// English words of the lists of calls and events.
export const callsEn = {
  withReads: "also what only reads",
  refusedOnly: "only refused ones",
  noCalls: "No call yet. Whatever changes the laboratory is shown here, whoever asks for it.",
  noneSought: "Nothing here has all of these words.",
  callsLabel: "Calls",
  thePage: "this page",
  time: "Time",
  client: "Client",
  answer: "Answer",
  call: "Call",
  copyAws: "Copy as aws",
  copyCurl: "Copy as curl",
  copyJson: "Copy as JSON",
  seekCalls: "Search the calls",
  seekEvents: "Search the events",
  seek: "Search: name, id, code…",
  shownOf: "{shown} of {all}",
  show: "Show {name}",
} as const;

export type CallsKey = keyof typeof callsEn;
