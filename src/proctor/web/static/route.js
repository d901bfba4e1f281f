// Where we are, in the part of the address behind #: a program and a tab, or a view of the daemon.
import { signal } from "./lib.js";

const read = () => {
  const [name = "", tab = "log"] = location.hash.slice(1).split("/").map(decodeURIComponent);
  return { name, tab };
};
export const route = signal(read());
addEventListener("hashchange", () => (route.value = read()));

export function go(name, tab = "log") {
  const hash = name && `#${encodeURIComponent(name)}/${tab}`;
  if (hash) location.hash = hash;
  else {
    history.pushState(null, "", location.pathname + location.search);
    route.value = read();
  }
}

export const help = signal(false); // whether the help for the keyboard is open
