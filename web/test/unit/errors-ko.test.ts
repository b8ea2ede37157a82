import { describe, expect, it } from "vitest";
import { explain } from "../../src/i18n/errors-ko.ts";

describe("refusals in Korean", () => {
  it("are explained by their code, by how it is formed, or by the status", () => {
    expect(explain("InvalidParameterCombination", 400)).toContain("가용 영역");
    expect(explain("InvalidNetworkInterfaceID.NotFound", 400)).toBe(
      "네트워크 인터페이스: 그런 것이 없습니다.",
    );
    expect(explain("InvalidNetworkAclEntry.NotFound", 400)).toBe("네트워크 ACL 항목: 그런 것이 없습니다.");
    expect(explain("InvalidLaunchTemplateName.AlreadyExistsException", 400)).toContain("이미 있습니다");
    expect(explain("VpcLimitExceeded", 400)).toBe("VPC: 할당량을 넘습니다.");
    expect(explain("", 409)).toContain("아무것도 바뀌지 않았습니다");
    expect(explain("Something.New", 418)).toBe("");
  });
});
