/** A word of a shell line, in quotes where it needs them. */
const quoted = (s: string): string => (/^[\w@%+=:,./-]+$/.test(s) ? s : `'${s.replaceAll("'", `'\\''`)}'`);

/** The call as a line of curl, as the list of calls writes it. */
export function curl(method: string, address: string, body?: unknown): string {
  const words = ["curl"];
  if (body === undefined ? method !== "GET" : method !== "POST") words.push("-X", method);
  words.push(quoted(address));
  if (body !== undefined)
    words.push("-H", quoted("content-type: application/json"), "-d", quoted(JSON.stringify(body)));
  return words.join(" ");
}
