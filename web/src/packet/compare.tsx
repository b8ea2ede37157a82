import { Icon } from "../ui/icons.tsx";
import { pinned } from "./nav.ts";
import { differences, treeOf } from "./tree.ts";
import type { Detail } from "./types.ts";
import { w } from "./words.ts";

/** In what fields a frame differs from the pinned one. */
export function Compare({ detail: d }: { detail: Detail }) {
  const p = pinned.value;
  const [a, b] = [treeOf(d), treeOf(p)];
  if (!p || p.key === d.key || !a || !b) return null;
  const list = differences(a, b);
  return (
    <section class="pk-part">
      <h3>
        {w("compared", { n: p.title })}
        <button
          type="button"
          class="icon"
          aria-label={w("unpin")}
          title={w("unpin")}
          onClick={() => (pinned.value = null)}
        >
          <Icon name="close" />
        </button>
      </h3>
      {list.length === 0 ? (
        <p class="quiet">{w("comparedSame")}</p>
      ) : (
        <table class="pk-table">
          <thead>
            <tr>
              <th scope="col">{w("field")}</th>
              <th scope="col">{w("this")}</th>
              <th scope="col">{w("pinnedOne", { n: p.title })}</th>
            </tr>
          </thead>
          <tbody>
            {list.map((x, i) => (
              <tr key={String(i)}>
                <td>
                  <span class="quiet">{x.layer}</span> {x.field}
                </td>
                <td>
                  <code>{x.a || "–"}</code>
                </td>
                <td>
                  <code>{x.b || "–"}</code>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}
