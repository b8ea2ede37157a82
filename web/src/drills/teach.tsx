import type { Token, Tokens } from "marked";
import type { ComponentChildren } from "preact";
import { useMemo } from "preact/hooks";
import { t } from "../i18n/i18n.ts";
import { CopyButton } from "../ui/copy.tsx";
import { tokensOf } from "./markdown.ts";

// The drills' pages are Markdown. A parser makes tokens of it, and what is shown are
// elements with text in them, never HTML out of the text.

/** Where a link of a page leads: out of the laboratory, or nowhere inside the page. */
const outside = (href: string): boolean => /^https:\/\//.test(href);

function inline(tokens: Token[] | undefined): ComponentChildren {
  return (tokens ?? []).map((k) => {
    switch (k.type) {
      case "strong":
        return <strong>{inline(k.tokens)}</strong>;
      case "em":
        return <em>{inline(k.tokens)}</em>;
      case "codespan":
        return <code>{(k as Tokens.Codespan).text}</code>;
      case "link":
        return outside((k as Tokens.Link).href) ? (
          <a href={(k as Tokens.Link).href} target="_blank" rel="noreferrer">
            {inline(k.tokens)}
          </a>
        ) : (
          <span>{inline(k.tokens)}</span>
        );
      case "br":
        return <br />;
      default:
        return k.type === "text" && "tokens" in k && k.tokens ? inline(k.tokens) : unescaped(k);
    }
  });
}

/** The parser escapes what is to become HTML, which this does not. */
function unescaped(k: Token): string {
  const text = "text" in k ? String(k.text) : k.raw;
  return text
    .replace(/&lt;/g, "<")
    .replace(/&gt;/g, ">")
    .replace(/&quot;/g, '"')
    .replace(/&#39;/g, "'")
    .replace(/&amp;/g, "&");
}

/** What a table is about, for whoever goes through a page by its parts: no two have the same. */
const titleOf = (table: Tokens.Table): string =>
  [table.header.map((c) => c.text).filter(Boolean), table.rows[0]?.[0]?.text ?? []]
    .flat()
    .join(", ")
    .replaceAll("`", "");

function block(k: Token): ComponentChildren {
  switch (k.type) {
    case "heading":
      return <h3>{inline(k.tokens)}</h3>;
    case "paragraph":
      return <p>{inline(k.tokens)}</p>;
    case "list": {
      const list = k as Tokens.List;
      const items = list.items.map((i) => <li>{i.tokens.map(block)}</li>);
      return list.ordered ? <ol>{items}</ol> : <ul>{items}</ul>;
    }
    case "text":
      return inline(k.tokens ?? [k]);
    case "code":
      return (
        <div class="command">
          <code>{(k as Tokens.Code).text}</code>
          <CopyButton text={(k as Tokens.Code).text} label={t("run.command")} plain />
        </div>
      );
    case "table": {
      const table = k as Tokens.Table;
      return (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: without it a keyboard cannot scroll
        <section class="scroll" tabIndex={0} aria-label={titleOf(table)}>
          <table class="plain">
            <thead>
              <tr>
                {table.header.map((c, i) => (
                  <th key={i} scope="col" class={c.align === "right" ? "num" : ""}>
                    {c.tokens.length > 0 ? inline(c.tokens) : <span class="hidden">{t("drills.what")}</span>}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {table.rows.map((row) => (
                <tr key={row[0]?.text}>
                  {row.map((c) => (
                    <td>{inline(c.tokens)}</td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      );
    }
    default:
      return null;
  }
}

/** A page that teaches what a drill shows. */
export function Teach({ markdown, lang }: { markdown: string; lang: string }) {
  const tokens = useMemo(() => tokensOf(markdown), [markdown]);
  return (
    <article class="teach" lang={lang}>
      {tokens.map(block)}
    </article>
  );
}
