// Splits a filter into pieces for their colours. What they mean, and whether they can
// be read at all, the server says.

export type TokenKind = "space" | "field" | "op" | "value" | "word" | "keyword" | "paren" | "quote";

export interface Token {
  kind: TokenKind;
  text: string;
}

const piece =
  /(\s+)|("(?:[^"\\]|\\.)*"?)|([(),])|((?:and|or|not)(?=[\s()]|$))|(-?[a-z][\w.]*)(?=\s*(?:!=|[:=<>~]))|(!=|[<>]=?|[:=~])|([^\s()",]+)/giy;

export function tokens(text: string): Token[] {
  const out: Token[] = [];
  piece.lastIndex = 0;
  let valueNext = false;
  while (piece.lastIndex < text.length) {
    const at = piece.lastIndex;
    const m = piece.exec(text);
    if (!m) {
      // Nothing of the above begins here: one character by itself.
      out.push({ kind: "word", text: text.slice(at, at + 1) });
      piece.lastIndex = at + 1;
      continue;
    }
    const [whole, space, quote, paren, keyword, field, op] = m;
    if (valueNext && !space && !paren && !quote) {
      // A value goes on up to a blank, whatever is in it.
      const rest = /^[^\s()",]+/.exec(text.slice(at))?.[0] ?? whole;
      out.push({ kind: "value", text: rest });
      piece.lastIndex = at + rest.length;
      valueNext = false;
      continue;
    }
    const kind: TokenKind = space
      ? "space"
      : quote
        ? "quote"
        : paren
          ? "paren"
          : keyword
            ? "keyword"
            : field
              ? "field"
              : op
                ? "op"
                : "word";
    out.push({ kind, text: whole });
    if (kind !== "space") valueNext = kind === "op";
  }
  return out;
}

/** UTF-16 offset of a place in characters, as the server counts. */
export const offsetOf = (text: string, characters: number): number =>
  [...text].slice(0, characters).join("").length;

export const charactersOf = (text: string, offset: number): number => [...text.slice(0, offset)].length;
