import { marked, type Token } from "marked";

/** A page without its first heading and the line with its way back, which the screen has itself. */
const bodyOf = (markdown: string): string =>
  markdown.replace(/^# .*\n+/, "").replace(/^\[[^\]]*\]\([^)]*\) · \[[^\]]*\]\([^)]*\)\n+/, "");

export const tokensOf = (markdown: string): Token[] => marked.lexer(bodyOf(markdown));
