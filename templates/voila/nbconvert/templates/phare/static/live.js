/*
 * Whether the page is still live: joined to its kernel, and that kernel the one that made it.
 *
 * Loaded before Voilà's own code, so that the sockets it opens are seen. The server is also asked
 * now and then: a machine that sleeps or a network that goes leaves a socket that looks open.
 */

(() => {
  const ASK_EVERY = 20_000; // milliseconds
  const ANSWER_WITHIN = 10_000;
  const CHANNELS = /\/api\/kernels\/[^/]+\/channels/;
  const WORDS = {
    cut:
      "Cette page n'est plus reliée au serveur. Ses chiffres peuvent dater et ses réglages " +
      "n'agissent plus. Elle essaie de se relier ; si rien ne change, rechargez-la.",
    gone:
      "Le calcul de cette page s'est arrêté. Ses chiffres datent d'avant l'arrêt et ses réglages " +
      "n'agissent plus. Rechargez-la pour les remettre à jour.",
  };

  let gone = false; // the kernel that made the page is no more: nothing brings it back
  let socket = null; // the last one opened
  let deaf = false; // the server did not answer
  let leaving = false;

  const reload = () => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Recharger la page";
    button.addEventListener("click", () => window.location.reload());
    return button;
  };

  const tell = (state) => {
    document.body.classList.toggle("phare-lost", state !== null);
    let notice = document.querySelector(".phare-cut");
    if (state === null) {
      notice?.remove();
      return;
    }
    if (!notice) {
      notice = document.createElement("div");
      notice.className = "phare-cut";
      notice.setAttribute("role", "alert");
      notice.append(document.createElement("p"), reload());
      document.body.prepend(notice);
    }
    const line = notice.querySelector("p");
    if (line.textContent !== WORDS[state]) line.textContent = WORDS[state];
  };

  const judge = () => {
    if (leaving) return;
    const closed = socket !== null && socket.readyState > WebSocket.OPEN;
    // While a new socket is being opened, nothing is known yet: what was said stays.
    if (gone) tell("gone");
    else if (closed || deaf) tell("cut");
    else if (socket?.readyState === WebSocket.OPEN) tell(null);
  };

  /* A message is JSON, or a table of offsets (count first, 64 bits each) before its parts:
     channel, header, parent, metadata, content. */
  const read = (data) => {
    if (typeof data === "string") {
      const { header, content } = JSON.parse(data);
      return { type: header.msg_type, content: () => content };
    }
    const view = new DataView(data);
    const part = (i) => {
      const [from, to] = [i, i + 1].map((n) => Number(view.getBigUint64(8 * (n + 1), true)));
      return JSON.parse(new TextDecoder().decode(new Uint8Array(data, from, to - from)));
    };
    return { type: part(1).msg_type, content: () => part(4) };
  };

  const hear = ({ data }) => {
    const message = read(data);
    if (message.type !== "status") return;
    const state = message.content().execution_state;
    if (state !== "restarting" && state !== "dead") return;
    gone = true;
    judge();
  };

  window.WebSocket = class extends window.WebSocket {
    constructor(url, ...rest) {
      super(url, ...rest);
      if (!CHANNELS.test(url)) return;
      socket = this;
      this.addEventListener("open", judge);
      this.addEventListener("close", judge);
      this.addEventListener("message", hear);
    }
  };

  const ask = async () => {
    if (gone || socket === null || document.hidden) return;
    const kernel = socket.url.replace(/^ws/, "http").replace(/\/channels.*$/, "");
    try {
      const answer = await fetch(kernel, { signal: AbortSignal.timeout(ANSWER_WITHIN) });
      gone = answer.status === 404;
      deaf = !answer.ok;
    } catch {
      deaf = true; // no server, no network, or no answer in time
    }
    judge();
  };

  setInterval(ask, ASK_EVERY);
  for (const event of ["online", "offline", "visibilitychange", "pageshow"]) {
    (event === "visibilitychange" ? document : window).addEventListener(event, ask);
  }
  // A page that is being left closes its own socket.
  window.addEventListener("pagehide", () => { leaving = true; });
  window.addEventListener("pageshow", () => { leaving = false; judge(); });
})();
