/*
 * Whether the page is still live: joined to its kernel, and that kernel the one that made it; and
 * whether it is at work.
 *
 * Loaded before Voilà's own code, so that the sockets it opens are seen. The server is also asked
 * now and then: a machine that sleeps or a network that goes leaves a socket that looks open.
 */

(() => {
  const ASK_EVERY = 20_000; // milliseconds
  const ASK_WHEN_CUT = 3_000;
  const ANSWER_WITHIN = 10_000;
  const SAY_CUT_AFTER = 1_000; // a process that takes another's place is there before
  const SAY_BUSY_AFTER = 700;
  const SAY_SLOW_AFTER = 10_000;
  const NOTICE_FOR = 15_000;
  const RELOAD_AGAIN_AFTER = 60_000;
  const CHANNELS = /\/api\/kernels\/[^/]+\/channels/;
  const WORDS = {
    cut:
      "Cette page n'est plus reliée au serveur. Ses chiffres peuvent dater et ses réglages " +
      "n'agissent plus. Elle essaie de se relier ; si rien ne change, rechargez-la.",
    gone:
      "Le calcul de cette page s'est arrêté. Ses chiffres datent d'avant l'arrêt et ses réglages " +
      "n'agissent plus. Rechargez-la pour les remettre à jour.",
    full:
      "Toutes les places sont prises. Ses réglages agiront dès qu'une place se libère : la page " +
      "réessaie d'elle-même.",
  };
  const NOTICES = {
    back: "Le calcul de cette page s'était arrêté. Il a repris, avec vos choix.",
    undone:
      "Le calcul s'est arrêté pendant votre dernier choix, qui est annulé ; les précédents sont " +
      "gardés.",
    drawn: "Une figure ne suivait plus vos choix : la page a été refaite, avec vos choix.",
    renewed: "Les données ont été mises à jour : les réglages sont revenus à leur point de départ.",
  };
  const { read } = window.phareFrames;
  const choices = window.phareChoices;
  // This server gives a page another process when it loses its own; a stock Voilà does not.
  const renews = () => document.body.dataset.build !== undefined;

  let gone = false; // the kernel that made the page is no more, and no other takes its place
  let socket = null; // the last one opened
  let sockets = 0;
  let deaf = false; // the server did not answer
  let full = false; // it has no place
  let leaving = false;
  let closedAt = null;
  let busy = null; // since when, and with what
  let asking = null; // when it will next be asked

  const again = (why) => {
    choices.save(why);
    window.location.reload();
  };

  /* By itself, but not over and over: what fails each time is told instead. */
  const againOnce = (why) => {
    if (!renews()) return false; // what was chosen would be lost
    const last = Number(window.sessionStorage.getItem("phare-reloaded"));
    if (document.hidden || Date.now() - last < RELOAD_AGAIN_AFTER) return false;
    window.sessionStorage.setItem("phare-reloaded", String(Date.now()));
    again(why);
    return true;
  };

  const reload = (why) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Recharger la page";
    button.addEventListener("click", () => again(why));
    return button;
  };

  const say = (name, role, words) => {
    let notice = document.querySelector(`.${name}`);
    if (words === null) {
      notice?.remove();
      return null;
    }
    if (!notice) {
      notice = document.createElement("div");
      notice.className = name;
      notice.setAttribute("role", role);
      notice.append(document.createElement("p"));
      document.body.prepend(notice);
    }
    const line = notice.querySelector("p");
    if (line.textContent !== words) line.textContent = words;
    return notice;
  };

  const tell = (state) => {
    document.body.classList.toggle("phare-lost", state !== null);
    const notice = say("phare-cut", "alert", state === null ? null : WORDS[state]);
    if (notice && !notice.querySelector("button")) notice.append(reload("back"));
  };

  const inform = (why) => {
    if (!NOTICES[why]) return;
    say("phare-notice", "status", NOTICES[why]);
    setTimeout(() => say("phare-notice", "status", null), NOTICE_FOR);
  };

  const judge = () => {
    if (leaving) return;
    const closed = socket !== null && socket.readyState > WebSocket.OPEN;
    if (!closed) closedAt = null;
    else closedAt ??= performance.now();
    const cut = closed && (!renews() || performance.now() - closedAt > SAY_CUT_AFTER);
    // While a new socket is being opened, nothing is known yet: what was said stays.
    if (gone) tell("gone");
    else if (full && closed) tell("full");
    else if (cut || deaf) tell("cut");
    else if (socket?.readyState === WebSocket.OPEN) tell(null);
  };

  /* « Still at work » is told from « dead »: by a word, and by the server, which ends what hangs. */
  const work = () => {
    const since = busy === null ? 0 : performance.now() - busy;
    if (since < SAY_BUSY_AFTER || socket?.readyState !== WebSocket.OPEN) {
      say("phare-busy", "status", null);
      return;
    }
    const slow = "Calcul en cours, plus long que d'habitude…";
    say("phare-busy", "status", since > SAY_SLOW_AFTER ? slow : "Calcul en cours…");
  };

  const hear = ({ data }) => {
    const message = read(data);
    if (message.type !== "status") return;
    const state = message.content().execution_state;
    if (state === "busy") busy ??= performance.now();
    if (state === "idle") {
      busy = null;
      choices.answered(message.parent().msg_id);
    }
    if (state === "starting" && sockets > 1) inform("back");
    if (state !== "restarting" && state !== "dead") return;
    gone = true;
    judge();
  };

  const opened = (one, session) => {
    deaf = full = false;
    if (renews() && (sockets > 1 || choices.count() > 0)) choices.tell(one, session);
    inform(choices.took());
    judge();
  };

  const askSoon = () => {
    clearTimeout(asking);
    asking = setTimeout(ask, ASK_WHEN_CUT);
  };

  const closed = ({ code }) => {
    busy = null;
    if (renews() && !leaving && code === 1012 && choices.undo()) {
      // The page shows a choice that was not answered: it is made anew, without.
      if (againOnce("undone")) return;
    }
    judge();
    setTimeout(judge, SAY_CUT_AFTER + 50);
    askSoon();
  };

  window.WebSocket = class extends window.WebSocket {
    constructor(url, ...rest) {
      super(url, ...rest);
      if (!CHANNELS.test(url)) return;
      socket = this;
      sockets += 1;
      const session = new URL(url).searchParams.get("session_id") ?? "";
      this.addEventListener("open", () => opened(this, session));
      this.addEventListener("close", closed);
      this.addEventListener("message", hear);
    }

    send(data) {
      if (this === socket) choices.sent(read(data));
      super.send(data);
    }
  };

  const ask = async () => {
    if (gone || socket === null || document.hidden) return;
    const kernel = socket.url.replace(/^ws/, "http").replace(/\/channels.*$/, "");
    clearTimeout(asking);
    try {
      const answer = await fetch(kernel, { signal: AbortSignal.timeout(ANSWER_WITHIN) });
      gone = answer.status === 404;
      full = answer.status === 503;
      deaf = !answer.ok && !full;
    } catch {
      deaf = true; // no server, no network, or no answer in time
    }
    judge();
    if (socket.readyState <= WebSocket.OPEN || leaving) return;
    const longCut = performance.now() - closedAt > ASK_EVERY;
    if ((gone || full || (!deaf && longCut)) && againOnce("back")) return;
    if (!gone) askSoon();
  };

  document.addEventListener("DOMContentLoaded", choices.restore);
  setInterval(ask, ASK_EVERY);
  setInterval(work, 250);
  for (const event of ["online", "offline", "visibilitychange", "pageshow"]) {
    (event === "visibilitychange" ? document : window).addEventListener(event, ask);
  }
  // A page that is being left closes its own socket.
  window.addEventListener("pagehide", () => { leaving = true; });
  window.addEventListener("pageshow", () => { leaving = false; judge(); });
  window.phareLive = { againOnce, reload };
})();
