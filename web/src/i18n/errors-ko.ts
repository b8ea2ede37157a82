// What EC2's error codes mean, in Korean. A code itself is never translated, and the
// server's own sentence stays beside this one.

/** Codes whose meaning does not follow from how they are formed. */
const codes: Readonly<Record<string, string>> = {
  AnalysisExistsForNetworkInsightsPath: "이 경로의 분석이 남아 있어 지울 수 없습니다.",
  AuthFailure: "이 리소스를 다룰 권한이 없습니다. 다른 서비스가 관리하는 것일 수 있습니다.",
  CannotDelete: "지울 수 없는 것입니다.",
  DependencyViolation: "다른 것이 아직 이것을 쓰고 있습니다. 쓰는 쪽을 먼저 떼거나 지우세요.",
  DefaultSubnetAlreadyExistsInAvailabilityZone: "이 가용 영역에는 기본 서브넷이 이미 있습니다.",
  DefaultVpcAlreadyExists: "이 리전에는 기본 VPC가 이미 있습니다.",
  DefaultVpcDoesNotExist: "이 리전에는 기본 VPC가 없습니다.",
  DryRunOperation: "시험 삼아 물은 것이며, 실제로 했다면 받아들여졌을 것입니다.",
  DuplicateSubnetsInSameZone: "한 가용 영역에서 서브넷을 둘 이상 골랐습니다.",
  DuplicateTransitGatewayAttachment: "이 VPC는 이 전송 게이트웨이에 이미 연결되어 있습니다.",
  FlowLogAlreadyExists: "같은 흐름 로그가 이미 있습니다.",
  "Gateway.NotAttached": "게이트웨이가 이 VPC에 연결되어 있지 않습니다.",
  IncorrectInstanceState: "인스턴스가 지금 상태에서는 할 수 없는 일입니다.",
  IncorrectModificationState: "볼륨의 변경이 끝나지 않아 지금은 할 수 없습니다.",
  IncorrectState: "지금 상태에서는 할 수 없는 일입니다.",
  InsufficientAddressCapacity: "남은 퍼블릭 주소가 없습니다.",
  InsufficientCidrBlocks: "그만큼 이어진 주소 블록이 서브넷에 남아 있지 않습니다.",
  InsufficientFreeAddressesInSubnet: "서브넷에 남은 주소가 모자랍니다.",
  InternalError: "서버 안에서 잘못되었습니다. 입력 때문이 아닙니다.",
  InternalServerException: "서버 안에서 잘못되었습니다. 입력 때문이 아닙니다.",
  "InvalidAMIID.Unavailable": "이미지를 지금 쓸 수 없습니다.",
  InvalidAction: "이 API에 그런 작업이 없습니다.",
  InvalidBlockDeviceMapping: "블록 디바이스 매핑이 올바르지 않습니다.",
  InvalidID: "ID의 꼴이 올바르지 않습니다.",
  InvalidInput: "입력이 올바르지 않습니다.",
  InvalidInstanceAttributeValue: "인스턴스 속성의 값이 올바르지 않습니다.",
  InvalidInstanceID: "이 인스턴스로는 할 수 없는 일입니다.",
  "InvalidInterface.IpAddressLimitExceeded":
    "이 인스턴스 유형의 인터페이스가 가질 수 있는 주소 수를 넘습니다.",
  "InvalidLaunchTemplateId.VersionNotFound": "시작 템플릿에 그런 버전이 없습니다.",
  InvalidNextToken: "이어 보기 토큰이 올바르지 않습니다.",
  InvalidParameter: "매개변수가 올바르지 않습니다.",
  InvalidParameterCombination: "함께 쓸 수 없는 값들입니다. 가용 영역이나 VPC가 서로 다른 것일 수 있습니다.",
  InvalidParameterDependency: "다른 매개변수가 있어야 쓸 수 있는 매개변수입니다.",
  InvalidParameterValue: "값이 올바르지 않거나, 지금 그 값으로는 할 수 없습니다.",
  InvalidPolicyDocument: "정책 문서가 올바르지 않습니다.",
  InvalidServiceName: "그런 이름의 서비스가 없습니다.",
  InvalidStateTransition: "지금 상태에서 그 상태로는 갈 수 없습니다.",
  "InvalidSubnet.Conflict": "다른 서브넷과 주소가 겹칩니다.",
  "InvalidSubnet.Range": "서브넷의 주소 블록이 올바르지 않습니다. VPC 안의 /16에서 /28까지여야 합니다.",
  "InvalidVolume.ZoneMismatch": "볼륨과 인스턴스의 가용 영역이 다릅니다.",
  "InvalidVpc.Range": "VPC의 주소 블록이 올바르지 않습니다. /16에서 /28까지여야 합니다.",
  MalformedQueryString: "요청의 꼴이 올바르지 않습니다.",
  MissingInput: "필요한 입력이 없습니다.",
  MissingParameter: "필요한 매개변수가 없습니다.",
  NatGatewayMalformed: "NAT 게이트웨이 ID의 꼴이 올바르지 않습니다.",
  NatGatewayNotFound: "그런 NAT 게이트웨이가 없습니다.",
  NetworkAclEntryAlreadyExists: "그 번호의 네트워크 ACL 항목이 이미 있습니다.",
  OperationNotPermitted:
    "허용되지 않는 일입니다. 기본 인터페이스는 뗄 수 없고, 종료 보호가 걸린 것은 지울 수 없습니다.",
  PrefixListMaxEntriesExceeded: "접두사 목록의 최대 항목 수를 넘습니다.",
  PrefixListVersionMismatch: "그사이 접두사 목록의 버전이 바뀌었습니다.",
  RequestCanceled: "요청이 취소되었습니다.",
  RequestLimitExceeded: "요청이 너무 많아 EC2가 제한했습니다. 잠시 뒤 다시 하세요.",
  "Resource.AlreadyAssociated": "이미 다른 것에 연결되어 있습니다.",
  RouteAlreadyExists: "그 목적지로 가는 경로가 이미 있습니다.",
  ServiceUnavailableException: "지금은 서비스할 수 없습니다. 잠시 뒤 다시 하세요.",
  Unavailable: "지금은 할 수 없습니다. 잠시 뒤 다시 하세요.",
  UnauthorizedOperation: "이 작업을 할 권한이 없습니다.",
  UnknownParameter: "이 작업에 없는 매개변수입니다.",
  UnknownVolumeType: "그런 볼륨 유형이 없습니다.",
  Unsupported: "지원하지 않는 조합입니다.",
  UnsupportedHibernationConfiguration: "최대 절전 모드를 쓸 수 없는 구성입니다.",
  UnsupportedOperation: "이 상태나 종류에는 지원하지 않는 작업입니다.",
  VPCIdNotSpecified: "기본 VPC가 없으므로 서브넷이나 VPC를 적어야 합니다.",
  VolumeInUse: "볼륨이 사용 중입니다.",
  VpcPeeringConnectionAlreadyExists: "두 VPC 사이에 피어링이 이미 있습니다.",
};

/** What codes are about, by how they begin; the longest that fits counts. */
const things: Readonly<Record<string, string>> = {
  Address: "탄력적 IP",
  AMIID: "이미지",
  AMIName: "이미지 이름",
  AllocationID: "탄력적 IP 할당",
  Association: "연결",
  Attachment: "연결",
  Cidr: "주소 블록",
  Dhcp: "DHCP 옵션",
  EgressOnlyInternetGateway: "송신 전용 인터넷 게이트웨이",
  Assertion: "단언",
  FailoverID: "장애 조치 기록",
  FailoverPolicy: "장애 조치 정책",
  FlowLog: "흐름 로그",
  Gateway: "게이트웨이",
  Group: "보안 그룹",
  Host: "호스트",
  IPAddress: "주소",
  Instance: "인스턴스",
  InternetGateway: "인터넷 게이트웨이",
  InternetHost: "인터넷 호스트",
  KeyPair: "키 페어",
  LaunchTemplate: "시작 템플릿",
  NetworkAcl: "네트워크 ACL",
  NetworkAclEntry: "네트워크 ACL 항목",
  NetworkInsights: "네트워크 분석",
  NetworkInterface: "네트워크 인터페이스",
  Permission: "규칙이나 권한",
  PrefixList: "접두사 목록",
  PrivateIpAddress: "프라이빗 주소",
  Route: "경로",
  RouteTable: "라우팅 테이블",
  RulesPerSecurityGroup: "보안 그룹의 규칙",
  SecurityGroup: "보안 그룹",
  SecurityGroupRule: "보안 그룹 규칙",
  SecurityGroupsPerInterface: "인터페이스의 보안 그룹",
  Snapshot: "스냅샷",
  Subnet: "서브넷",
  Tag: "태그",
  Template: "템플릿",
  TransitGateway: "전송 게이트웨이",
  TransitGatewayAttachment: "전송 게이트웨이 연결",
  TransitGatewayRouteTablePropagation: "경로 전파",
  TrunkInterface: "트렁크 인터페이스 연결",
  Version: "버전",
  Volume: "볼륨",
  Vpc: "VPC",
  VpcEndpoint: "VPC 엔드포인트",
  VpcPeeringConnection: "피어링 연결",
  Zone: "가용 영역",
};

/** How codes end, and what that says. */
const endings: readonly (readonly [RegExp, string])[] = [
  [/\.?NotFound(Exception)?$/, "그런 것이 없습니다"],
  [/\.?Malformed(Exception)?$/, "꼴이 올바르지 않습니다"],
  [/\.?(Duplicate|AlreadyExists(Exception)?)$/, "이미 있습니다"],
  [/\.?InUse$/, "이미 쓰이고 있습니다"],
  [/\.?LimitExceeded$/, "할당량을 넘습니다"],
];

const statuses: Readonly<Record<number, string>> = {
  401: "토큰이 필요합니다. 서버가 출력한 URL에 들어 있습니다.",
  403: "이 요청은 허용되지 않습니다.",
  404: "그런 것이 없습니다. 그사이 지워졌을 수 있습니다.",
  405: "그런 요청은 없습니다.",
  409: "지금 상태에서는 할 수 없습니다. 아무것도 바뀌지 않았습니다.",
  410: "더 이상 남아 있지 않습니다.",
  412: "그사이 다른 누군가가 바꾸었습니다.",
  413: "요청이 너무 큽니다.",
  422: "입력이 올바르지 않습니다. 아무것도 바뀌지 않았습니다.",
  429: "요청이 너무 많습니다.",
  500: "서버 안에서 잘못되었습니다.",
  501: "이 서버는 하지 않는 일입니다.",
  503: "서버가 지금은 할 수 없습니다. 잠시 뒤 다시 하세요.",
};

/** What a refusal means: by EC2's code, else by HTTP's status; "" if neither is known. */
export function explain(code: string, status: number): string {
  const known = codes[code];
  if (known) return known;
  for (const [ending, says] of endings) {
    if (!ending.test(code)) continue;
    const about = code.replace(ending, "").replace(/^Invalid/, "");
    const thing = Object.keys(things)
      .filter((t) => about.startsWith(t))
      .sort((a, b) => b.length - a.length)[0];
    if (thing) return `${things[thing]}: ${says}.`;
  }
  return statuses[status] ?? "";
}
