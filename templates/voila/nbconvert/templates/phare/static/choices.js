/*
 * What the page's reader has chosen, in order: a process that takes another's place is told it.
 *
 * Kept in this tab only. A choice that was being answered when the process ended is left out: it
 * may be what ended it.
 */

window.phareChoices = (() => {
  // Without the query: the page writes what is chosen into its own address.
  const PLACE = `phare-choices ${window.location.pathname}`;
  const chosen = new Map(); // widget and trait → [widget, trait, value], the last changed last
  const asked = new Map(); // message → what it changed and from what, until it is answered
  let notice = null; // what to say of a page that has just been loaded again

  const build = () => document.body?.dataset.build ?? null;

  const save = (why = null) => {
    if (why === null) return;
    const kept = JSON.stringify({ build: build(), why, choices: [...chosen.values()] });
    window.sessionStorage.setItem(PLACE, kept);
  };

  const sent = ({ id, type, content }) => {
    if (type !== "comm_msg") return;
    const { comm_id: widget, data } = content();
    if (data.method !== "update") {
      if (data.method === "custom") asked.set(id, []);
      return;
    }
    const before = [];
    for (const [trait, value] of Object.entries(data.state)) {
      const key = `${widget} ${trait}`;
      before.push([key, chosen.get(key)]);
      chosen.delete(key);
      chosen.set(key, [widget, trait, value]);
    }
    asked.set(id, before);
  };

  const answered = (id) => asked.delete(id);

  /* The process ended: what it was answering is undone. Return whether a choice was. */
  const undo = () => {
    const changed = [...asked.values()].flat().reverse();
    asked.clear();
    for (const [key, former] of changed) {
      if (former === undefined) chosen.delete(key);
      else chosen.set(key, former);
    }
    return changed.length > 0;
  };

  /* Take up what the page held before it was loaded again. */
  const restore = () => {
    const kept = JSON.parse(window.sessionStorage.getItem(PLACE));
    window.sessionStorage.removeItem(PLACE);
    if (kept === null) return;
    notice = kept.build === build() ? kept.why : "renewed";
    if (notice === "renewed") return;
    for (const one of kept.choices) chosen.set(`${one[0]} ${one[1]}`, one);
  };

  /* Tell a process all of it, through its socket. */
  const tell = (socket, session) => {
    for (const [widget, trait, value] of [...chosen.values()]) {
      socket.send(window.phareFrames.update(session, widget, { [trait]: value }).bytes);
    }
  };

  const took = () => {
    const said = notice;
    notice = null;
    return said;
  };

  return { sent, answered, undo, save, restore, tell, took, count: () => chosen.size };
})();
