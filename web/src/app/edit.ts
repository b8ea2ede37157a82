import { select } from "./select.ts";

/** Opens the form of an instance or an interface; the forms are fetched with the first. */
export async function edit(kind: "instance" | "eni", id: string): Promise<void> {
  const [{ openForm }, { kinds }, { placeOf }] = await Promise.all([
    import("../build/form.ts"),
    import("../build/kinds.ts"),
    import("../build/model.ts"),
  ]);
  select(id);
  openForm(kinds[kind], placeOf(id), id);
}
