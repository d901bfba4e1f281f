// A stream of events that comes back by itself and goes on after the last message it knows.
// A browser has few connections for a site, so a page that nobody sees gives its own back.
import { at } from "./api.js";

// `path(last)` is what to follow, `on` has a function for each type, `tell` hears true and false.
export function stream(path, last, on, tell) {
  let source;
  let timer;
  let pause = 250;
  const shut = () => {
    clearTimeout(timer);
    source?.close();
    source = undefined;
  };
  const open = () => {
    if (source || document.hidden) return;
    source = new EventSource(at(path(encodeURIComponent(last))));
    source.onopen = () => {
      pause = 250;
      tell(true);
    };
    source.onerror = () => {
      shut();
      tell(false);
      timer = setTimeout(open, pause);
      pause = Math.min(pause * 2, 4000);
    };
    for (const [name, act] of Object.entries(on))
      source.addEventListener(name, (event) => {
        if (event.lastEventId) last = event.lastEventId;
        act(JSON.parse(event.data), name);
      });
  };
  const seen = () => (document.hidden ? shut() : open());
  document.addEventListener("visibilitychange", seen);
  open();
  return () => {
    shut();
    document.removeEventListener("visibilitychange", seen);
  };
}
