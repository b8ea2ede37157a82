import { language, ofServer, ownWords } from "../i18n/i18n.ts";

const hangul = /\p{Script=Hangul}/u;

/** Words of the server: in the page's language where it has them, else marked as the English they are. */
export function Said({ text, reason = "" }: { text: string; reason?: string }) {
  const known = ofServer(text, reason);
  if (known !== null || language.value === "en") return <>{known ?? text}</>;
  // A refusal has been explained already, and goes on in the server's words.
  const cut = text.indexOf(ownWords);
  if (cut > 0 && hangul.test(text.slice(0, cut))) {
    const own = text.slice(cut + ownWords.length);
    return (
      <>
        {text.slice(0, cut)} <span lang="en">{own}</span>
      </>
    );
  }
  return hangul.test(text) ? text : <span lang="en">{text}</span>;
}
