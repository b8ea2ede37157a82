// The server's own words in Korean. What EC2 says, codes and messages alike, stays
// as EC2 says it; sentences that are missing here are shown in English and marked so.

/** By the name of a reason (internal/dataplane/verdict). */
export const reasons: Readonly<Record<string, string>> = {
  delivered: "전달됨",
  egress_denied: "보내는 쪽 보안 그룹의 송신 규칙이 허용하지 않음",
  ingress_denied: "받는 쪽 보안 그룹의 수신 규칙이 허용하지 않음",
  egress_acl_denied: "보내는 쪽 서브넷의 네트워크 ACL이 나가는 것을 허용하지 않음",
  ingress_acl_denied: "받는 쪽 서브넷의 네트워크 ACL이 들어오는 것을 허용하지 않음",
  spoofed_mac: "출발 MAC이 보내는 인터페이스의 것이 아님",
  spoofed_ip: "출발 주소가 보내는 인터페이스의 것이 아님",
  not_own_address: "도착 주소가 받는 인터페이스의 것이 아님",
  no_mapping: "VPC에 이 주소를 가진 인터페이스가 없음",
  unknown_mac: "서브넷에 이 MAC을 가진 인터페이스가 없음",
  no_route: "도착지로 가는 경로가 없음",
  blackhole: "경로의 대상이 없음",
  detached: "이 주소의 인터페이스가 어느 인스턴스에도 연결되지 않음",
  instance_stopped: "인터페이스의 인스턴스가 실행 중이 아님",
  link_down: "인스턴스의 링크가 끊김 (주입한 장애)",
  guest_frozen: "게스트가 멈춤 (주입한 장애)",
  arp_unanswered: "어느 인터페이스에도 없는 주소의 ARP 요청",
  broadcast: "VPC는 브로드캐스트와 멀티캐스트를 나르지 않음",
  unsupported_ethertype: "VPC는 IPv4, IPv6, ARP만 나름",
  tagged: "VPC는 802.1Q 태그를 나르지 않음",
  malformed: "헤더가 잘렸거나 앞뒤가 맞지 않음",
  oversize: "인터페이스의 MTU보다 김",
  tx_queue_full: "보내는 쪽 송신 큐가 가득 참",
  rx_queue_full: "받는 쪽 수신 큐가 가득 참",
  worker_queue_full: "두 작업자 사이의 큐가 가득 참",
  conntrack_full: "인터페이스의 연결 표가 가득 참",
  rx_flushed: "읽기 전에 떠난 게스트의 큐에 있었음",
  no_buffer: "보내는 쪽 버퍼를 모두 사용 중",
  removed: "가는 길에 인터페이스가 삭제됨",
  linklocal_allowance_exceeded: "한 인터페이스에서 네트워크 서비스가 받는 양을 넘음",
  arp_answered: "네트워크가 응답함",
  arp_gratuitous: "무상 ARP: 소유자는 API로만 바뀜",
  link_local: "네트워크 서비스가 받음",
};

/** Sentences of records and traces. */
export const sentences: readonly (readonly [RegExp, string])[] = [
  [/^moved by separate detach and attach calls$/, "분리와 연결을 따로 호출하여 이동함"],
  [/^no measured traffic: the outage was not exercised$/, "측정한 트래픽이 없어 중단 시간을 알 수 없음"],
  [/^the interface was deleted before the measurement ended$/, "측정이 끝나기 전에 인터페이스가 삭제됨"],
  [
    /^the forced detach has left device index (\d+) of (\S+) unusable/,
    "강제 분리로 $2의 장치 번호 $1은 정지 후 시작할 때까지 쓸 수 없고 메타데이터도 옛것임",
  ],
  [/^interrupted by a restart of enilab$/, "enilab을 다시 시작하여 중단됨"],
  [/^belongs to a flow that the connection table knows$/, "연결 표에 있는 흐름에 속함"],
  [/^allowed by (\S+)$/, "$1 규칙이 허용함"],
  [/^no rule applies$/, "적용되는 규칙이 없음"],
  [/^(\S+) has (\S+), at (\S+)$/, "$2 주소는 $1에 있음, MAC $3"],
  [/^placed in the guest's receive queue$/, "게스트의 수신 큐에 들어감"],
];
