/* Frames of the protocol v1.kernel.websocket.jupyter.org: the number of offsets, the offsets (64 bits
   each, little endian), then the parts they bound: channel, header, parent, metadata, content. */

window.phareFrames = (() => {
  const read = (data) => {
    if (typeof data === "string") {
      const { header, parent_header: parent, content } = JSON.parse(data);
      return { id: header.msg_id, type: header.msg_type, parent: () => parent, content: () => content };
    }
    const bytes = ArrayBuffer.isView(data) ? data.buffer : data;
    const view = new DataView(bytes);
    const part = (i) => {
      const [from, to] = [i, i + 1].map((n) => Number(view.getBigUint64(8 * (n + 1), true)));
      return JSON.parse(new TextDecoder().decode(new Uint8Array(bytes, from, to - from)));
    };
    const header = part(1);
    return {
      id: header.msg_id, type: header.msg_type, parent: () => part(2), content: () => part(4),
    };
  };

  /* An update of one widget, as its own view would send it. */
  const update = (session, widget, state) => {
    const header = {
      msg_id: crypto.randomUUID(), msg_type: "comm_msg", session, username: "", version: "5.2",
      date: new Date().toISOString(),
    };
    const content = { comm_id: widget, data: { method: "update", state, buffer_paths: [] } };
    const told = [header, {}, {}, content].map((one) => JSON.stringify(one));
    const parts = ["shell", ...told].map((one) => new TextEncoder().encode(one));
    const count = parts.length + 1;
    const offsets = [8 * (count + 1)];
    for (const one of parts) offsets.push(offsets.at(-1) + one.length);
    const frame = new Uint8Array(offsets.at(-1));
    const view = new DataView(frame.buffer);
    [count, ...offsets].forEach((n, i) => view.setBigUint64(8 * i, BigInt(n), true));
    parts.forEach((one, i) => frame.set(one, offsets[i]));
    return { id: header.msg_id, bytes: frame.buffer };
  };

  return { read, update };
})();
