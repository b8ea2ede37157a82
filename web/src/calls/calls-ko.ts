import type { CallsKey } from "./calls-en.ts";

// Korean words of the lists of calls and events.
export const callsKo = {
  withReads: "읽기만 하는 것도",
  refusedOnly: "거부된 것만",
  noCalls: "아직 호출이 없습니다. 누가 요청하든 실험실을 바꾸는 호출이 여기에 표시됩니다.",
  noneSought: "이 단어가 모두 있는 것이 없습니다.",
  callsLabel: "호출",
  thePage: "이 페이지",
  time: "시각",
  client: "클라이언트",
  answer: "응답",
  call: "호출",
  copyAws: "aws로 복사",
  copyCurl: "curl로 복사",
  copyJson: "JSON으로 복사",
  seekCalls: "호출 검색",
  seekEvents: "이벤트 검색",
  seek: "검색: 이름, ID, 코드…",
  shownOf: "{all}개 중 {shown}개",
  show: "{name} 보기",
} as const satisfies Record<CallsKey, string>;
