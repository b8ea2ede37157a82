import { refusal, t } from "../i18n/i18n.ts";

// Calls of the admin API. Every failure becomes an ApiError that a person can read.

const base = "/api/v1";

export class ApiError extends Error {
  readonly status: number;
  /** EC2's error code, when the control plane gave one. */
  readonly code: string;
  /** What the refusal is about, as the API names parts of a request. */
  readonly fields: readonly { location: string; message: string }[];

  constructor(status: number, code: string, detail: string, fields: ApiError["fields"] = []) {
    super(detail);
    this.name = "ApiError";
    this.status = status;
    this.code = code;
    this.fields = fields;
  }
}

interface Problem {
  title?: string;
  detail?: string;
  code?: string;
  errors?: { location?: string; message?: string }[];
}

async function failure(response: Response): Promise<ApiError> {
  let problem: Problem = {};
  try {
    problem = (await response.json()) as Problem;
  } catch {
    // Not problem+json (a proxy's page, an empty body): the status has to do.
  }
  const said = problem.detail ?? problem.title ?? `HTTP ${response.status}`;
  // The API names the field that a refusal is about, with the refusal's own words again.
  const fields = (problem.errors ?? [])
    .filter((e) => e.message && !said.includes(e.message))
    .map((e) => `${e.location ?? ""} ${e.message ?? ""}`.trim());
  const detail = refusal(problem.code ?? "", response.status, [said, ...fields].join("; "));
  const about = (problem.errors ?? []).map((e) => ({ location: e.location ?? "", message: e.message ?? "" }));
  return new ApiError(response.status, problem.code ?? "", detail, about);
}

async function call<T>(method: string, path: string, body?: unknown): Promise<T> {
  const init: RequestInit = { method, headers: { Accept: "application/json" } };
  if (body !== undefined) {
    init.headers = { Accept: "application/json", "Content-Type": "application/json" };
    init.body = JSON.stringify(body);
  }
  let response: Response;
  try {
    response = await fetch(base + path, init);
  } catch {
    throw new ApiError(0, "", t("link.noAnswer"));
  }
  if (!response.ok) throw await failure(response);
  if (response.status === 204) return undefined as T;
  const text = await response.text();
  return (text === "" ? undefined : JSON.parse(text)) as T;
}

export const get = <T>(path: string): Promise<T> => call<T>("GET", path);
export const post = <T>(path: string, body: unknown = {}): Promise<T> => call<T>("POST", path, body);
export const put = <T>(path: string, body: unknown): Promise<T> => call<T>("PUT", path, body);
export const del = <T>(path: string): Promise<T> => call<T>("DELETE", path);

/** The absolute address of an API path, for links and copied commands. */
export const url = (path: string): string => new URL(base + path, location.origin).href;
