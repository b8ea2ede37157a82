import { language, ofServer } from "../i18n/i18n.ts";

/** Words of the server: in the page's language where it has them, else marked as the English they are. */
export function Said({ text, reason = "" }: { text: string; reason?: string }) {
  const known = ofServer(text, reason);
  if (known !== null || language.value === "en") return <>{known ?? text}</>;
  return <span lang="en">{text}</span>;
}
