import type { MapKey } from "./words-en.ts";

export const mapKo = {
  searchTargets: "이름 또는 ID로 찾기",
  noTarget: "이름이나 ID에 “{text}”가 있는 인스턴스가 없습니다.",
  moreTargets: "{count}개 더",
  find: "지도에서 찾기",
  findHint: "이름, ID, IP, MAC",
  found: "{count}개 찾음",
  foundNone: "이름, ID, IP, MAC에 “{text}”가 있는 것이 지도에 없습니다.",
  overlay: "겹쳐 보기",
  overlayNone: "겹쳐 보지 않음",
  overlayOff: "겹쳐 보기 끄기",
  groups: "보안 그룹",
  acls: "네트워크 ACL",
  tables: "라우팅 테이블",
  litGroup: "이 그룹의 인터페이스 {count}개",
  litAcl: "이 ACL의 서브넷 {count}개",
  litTable: "서브넷과 라우팅 대상 {count}개",
  minimap: "전체 보기: 화살표 키로 보이는 곳을 옮깁니다",
  minimapShown: "왼쪽에서 {x} %, 위에서 {y} %",
} satisfies Record<MapKey, string>;
