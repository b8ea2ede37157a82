import { post } from "../api/client.ts";
import { isShownName } from "../api/names.ts";
import { viewRegion } from "../app/view.ts";

// Changes of the network go by the calls that a program would make.

export type Parameters = Record<string, unknown>;
export interface Seen {
  id: string;
  etag: string;
}

/** EC2's answer: objects, lists and strings, as its document has them. */
export type Answer = { [name: string]: Answer } & Answer[] & string;

/** Carries out an action of EC2 in the region that is shown. */
export async function ec2(
  action: string,
  parameters: Parameters,
  ifUnchanged?: Seen | null,
): Promise<Answer> {
  const body: Record<string, unknown> = { action, parameters };
  if (viewRegion.value) body.region = viewRegion.value;
  if (ifUnchanged) body.ifUnchanged = ifUnchanged;
  return (await post<{ result: Answer }>("/calls", body)).result;
}

/** The parameter that names what is made; none without a name. */
export const named = (type: string, name: string): Parameters =>
  name ? { TagSpecification: [{ ResourceType: type, Tag: [{ Key: "Name", Value: name }] }] } : {};

export async function rename(id: string, name: string): Promise<void> {
  if (isShownName(id, name)) return;
  if (name) await ec2("CreateTags", { ResourceId: [id], Tag: [{ Key: "Name", Value: name }] });
  else await ec2("DeleteTags", { ResourceId: [id], Tag: [{ Key: "Name" }] });
}

export type Undo = () => Promise<unknown>;

/**
 * Several calls that are one to the person: when a later one is refused, those
 * before are taken back, so that bad input changes nothing.
 */
export async function together(
  run: (did: (undo: Undo) => void) => Promise<string>,
): Promise<{ id: string; undo: Undo }> {
  const undos: Undo[] = [];
  const back = async (): Promise<void> => {
    for (const undo of undos.reverse()) await undo();
  };
  try {
    const id = await run((undo) => undos.push(undo));
    return { id, undo: back };
  } catch (err) {
    // What was refused is said; that taking back failed too would hide it.
    await back().catch(() => undefined);
    throw err;
  }
}
