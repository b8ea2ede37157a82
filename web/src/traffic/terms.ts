// The page writes conditions into a filter's text and takes them out again; what they
// mean is the server's business.

/** A condition of a field that stands by itself, outside of parentheses. */
function pattern(field: string): RegExp {
  return new RegExp(`(^|\\s)${field}:([^\\s()",]+)(?=\\s|$)`);
}

/** Without what stands in parentheses and quotes, which is somebody's own. */
function bare(text: string): string {
  let depth = 0;
  let quote = false;
  let out = "";
  for (const c of text) {
    if (c === '"') quote = !quote;
    if (!quote && c === "(") depth++;
    out += depth > 0 || quote ? "\u0000" : c;
    if (!quote && c === ")") depth--;
  }
  return out;
}

/** One condition of a field that buttons set. */
function button(field: string, none: string) {
  return {
    /** Its value, or what stands for none. */
    of(text: string): string {
      return / or /i.test(bare(text)) ? none : (pattern(field).exec(bare(text))?.[2] ?? none);
    },
    set(text: string, value: string): string {
      const seen = bare(text);
      const alone = !/ or /i.test(seen);
      const m = alone ? pattern(field).exec(seen) : null;
      const rest = m ? text.slice(0, m.index) + text.slice(m.index + m[0].length) : text;
      const kept = rest.trim();
      if (!value) return kept;
      const before = alone || !kept ? kept : `(${kept})`;
      return `${before} ${field}:${value}`.trim();
    },
  };
}

export const withVerdict = button("verdict", "all");
export const withEni = button("eni", "");

/** The text without one condition, and without what joined it; places in characters. */
export function without(text: string, at: number, length: number): string {
  const all = [...text];
  let before = all.slice(0, at).join("");
  let after = all.slice(at + length).join("");
  before = before.replace(/(\bnot\s+|-)$/i, "");
  const last = /\b(and|or)\s*$/i;
  const first = /^\s*\b(and|or)\b/i;
  // What is left stays joined as it was.
  if (/^\s*(\)|$)/.test(after)) before = before.replace(last, "");
  else if (/(^|\()\s*$/.test(before)) after = after.replace(first, "");
  else if (/^\s*or\b/i.test(after)) before = before.replace(last, "");
  else after = after.replace(first, "");
  return `${before.trimEnd()} ${after.trimStart()}`
    .replace(/\(\s*\)/g, "")
    .replace(/\s+\)/g, ")")
    .replace(/\(\s+/g, "(")
    .trim();
}
